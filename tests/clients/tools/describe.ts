import type * as Sdk1 from "@anthropic-ai/sdk";
import type * as Sdk0 from "anthropic-sdk-0";
import type { Described } from "./cases.ts";

/** A block of an answer, by the types of both majors of the official SDK, beta and general. */
export type Block =
  | Sdk1.default.Beta.BetaContentBlock
  | Sdk1.default.ContentBlock
  | Sdk0.default.Beta.BetaContentBlock
  | Sdk0.default.ContentBlock;

/** Describes a block in a few words, by the fields that the SDK's types declare. */
export function describeBlock(block: Block): string {
  switch (block.type) {
    case "text":
      return `text: ${block.text}${(block.citations ?? []).map(describeCitation).join("")}`;
    case "mcp_tool_use":
      return `${block.server_name} ${block.name} ${JSON.stringify(block.input)}`;
    case "mcp_tool_result": {
      const { content, is_error } = block;
      const text = typeof content === "string" ? content : content.map(({ text }) => text).join("");
      return `${is_error ? "failed" : "gave"} ${text}`;
    }
    case "server_tool_use":
      return `${block.name} ${JSON.stringify(block.input)}`;
    case "web_search_tool_result":
      return Array.isArray(block.content)
        ? `hits ${block.content.map(({ url }) => url).join(" ")}`
        : block.content.error_code;
    case "web_fetch_tool_result":
      return block.content.type === "web_fetch_result"
        ? `page ${block.content.content.title} of ${block.content.url}`
        : block.content.error_code;
    case "tool_search_tool_result":
      return block.content.type === "tool_search_tool_search_result"
        ? `found ${block.content.tool_references.map(({ tool_name }) => tool_name).join(" ")}`
        : block.content.error_code;
    default:
      return block.type;
  }
}

type Citation = NonNullable<Extract<Block, { type: "text" }>["citations"]>[number];

function describeCitation(citation: Citation): string {
  return citation.type === "web_search_result_location" ? ` <${citation.url}>` : ` <${citation.type}>`;
}

/** The usage of an answer by the types of both majors. */
interface Usage {
  input_tokens: number;
  server_tool_use: { web_search_requests: number; web_fetch_requests: number } | null;
}

/** Reads the usage of an answer. */
export function toUsage({ input_tokens, server_tool_use }: Usage): Described["usage"] {
  const { web_search_requests: searches = 0, web_fetch_requests: fetches = 0 } = server_tool_use ?? {};
  return { input_tokens, searches, fetches };
}
