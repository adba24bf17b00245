import { type Content, type CountTokensRequest, isCustomTool, type Tool } from "../anthropic/schema.ts";
import { MIN_CALIBRATED_TOKENS } from "./calibration.ts";
import { countFile, countImage } from "./media.ts";

/**
 * Returns true if the upstream's count of a request can calibrate an estimate of `tokens` tokens.
 *
 * Returns false for three kinds of request: short ones, those with a large share of images and files, and those with
 * tools that the upstream runs. With such tools the upstream also counts their results, and the conversation again for
 * every iteration.
 *
 * @example Usage
 * ```ts
 * import { isRepresentative } from "./representative.ts";
 *
 * const messages = [{ role: "user" as const, content: "Hi" }];
 * if (isRepresentative({ model: "m", messages }, 8)) throw new Error("two characters are too few");
 * ```
 */
export function isRepresentative(request: CountTokensRequest, tokens: number): boolean {
  if (
    tokens < MIN_CALIBRATED_TOKENS || request.mcp_servers !== undefined || request.tools?.some(runsUpstream)
  ) {
    return false;
  }
  const media = request.messages.reduce((sum, { content }) => sum + countMedia(content), 0);
  return media <= tokens * MAX_MEDIA_SHARE;
}

const MAX_MEDIA_SHARE = 0.2;

/** Tools that Anthropic's API describes but the client runs. */
const CLIENT_RUN_TYPES = /^(bash|text_editor|computer|memory)_/;

function runsUpstream(tool: Tool): boolean {
  return !isCustomTool(tool) && !CLIENT_RUN_TYPES.test(tool.type);
}

function countMedia(content: Content): number {
  if (typeof content === "string") return 0;
  return content.reduce((sum, block) => {
    switch (block.type) {
      case "image":
        return sum + countImage(block);
      case "document":
        return sum + countFile(block);
      case "tool_result":
        return sum + countMedia(block.content ?? "");
      default:
        return sum;
    }
  }, 0);
}
