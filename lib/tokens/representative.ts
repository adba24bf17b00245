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
  let media = 0;
  for (const { content } of request.messages) media += countMedia(content);
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
  let tokens = 0;
  for (let at = 0; at < content.length; at++) {
    const block = content[at];
    if (block?.type === "image") tokens += countImage(block);
    else if (block?.type === "document") tokens += countFile(block);
    else if (block?.type === "tool_result") tokens += countMedia(block.content ?? "");
  }
  return tokens;
}
