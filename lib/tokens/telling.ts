import { type Content, type CountTokensRequest, isCustomTool, type Tool } from "../anthropic/schema.ts";
import { FEWEST_TOKENS } from "./calibration.ts";
import { countFile, countImage } from "./media.ts";

/**
 * Tells whether what an upstream counts of a request says something about an estimate of so many tokens.
 *
 * It does not where there are few words, where pictures and files outweigh them, and where the upstream runs tools of
 * its own: it then counts what they brought, and the conversation once more for every time it went on.
 *
 * @example Usage
 * ```ts
 * import { isTelling } from "./telling.ts";
 *
 * const messages = [{ role: "user" as const, content: "Hi" }];
 * if (isTelling({ model: "m", messages }, 8)) throw new Error("two letters prove nothing");
 * ```
 */
export function isTelling(request: CountTokensRequest, tokens: number): boolean {
  if (tokens < FEWEST_TOKENS || request.mcp_servers !== undefined || request.tools?.some(runsUpstream)) {
    return false;
  }
  const media = request.messages.reduce((sum, { content }) => sum + weighMedia(content), 0);
  return media <= tokens * MOST_MEDIA;
}

const MOST_MEDIA = 0.2;

/** Tools whose words Anthropic's API adds, but which the client runs. */
const CLIENTS_OWN = /^(bash|text_editor|computer|memory)_/;

function runsUpstream(tool: Tool): boolean {
  return !isCustomTool(tool) && !CLIENTS_OWN.test(tool.type);
}

function weighMedia(content: Content): number {
  if (typeof content === "string") return 0;
  return content.reduce((sum, block) => {
    switch (block.type) {
      case "image":
        return sum + countImage(block);
      case "document":
        return sum + countFile(block);
      case "tool_result":
        return sum + weighMedia(block.content ?? "");
      default:
        return sum;
    }
  }, 0);
}
