import { type Content, type CountTokensRequest, isCustomTool, type Tool } from "../anthropic/schema.ts";
import { MIN_CALIBRATED_TOKENS } from "./calibration.ts";
import { countFile, countImage } from "./media.ts";

/**
 * Tells whether what an upstream counts of a request says something about an estimate of so many tokens.
 *
 * It does not where there are few words, where pictures and files outweigh them, and where the upstream runs tools of
 * its own: it then counts what they brought, and the conversation once more for every time it went on.
 *
 * @example Usage
 * ```ts
 * import { isRepresentative } from "./telling.ts";
 *
 * const messages = [{ role: "user" as const, content: "Hi" }];
 * if (isRepresentative({ model: "m", messages }, 8)) throw new Error("two letters prove nothing");
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

/** Tools whose words Anthropic's API adds, but which the client runs. */
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
