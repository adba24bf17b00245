import type { ContentBlock } from "../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../base/json.ts";

/** What only its author can read: encrypted copies, and bytes of files. */
const OPAQUE_FIELDS = /^encrypted_|^(signature|data|cache_control|caller)$/;
const RESULT_TYPE = /^(?!tool_result$)(\w+?)_?tool_result$/;

/**
 * Tells in words what a server's tool did earlier in a conversation, for a model that has no such tool: what it was
 * asked, what came of it; and what a compaction left of it. Nothing for a block of any other kind.
 *
 * @example Usage
 * ```ts
 * import { describeServerTool } from "./server_tool_text.ts";
 *
 * const call = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "bees" } };
 * // The literal stands for the type of any block that the schema does not know.
 * const told = describeServerTool({ ...call, type: call.type as "(unknown)" });
 * if (told !== '[The tool web_search was used with {"query":"bees"}]') throw new Error(told);
 * ```
 */
export function describeServerTool(block: ContentBlock): string | undefined {
  // Blocks of these kinds are not described by the schema: they are only ever passed on.
  const { type, name, server_name, input, content, is_error }: JsonObject & { type: string } = { ...block };
  if (type === "server_tool_use" || type === "mcp_tool_use") {
    const server = typeof server_name === "string" ? ` of ${server_name}` : "";
    return `[The tool ${asText(name)}${server} was used with ${JSON.stringify(withoutOpaque(input))}]`;
  }
  // What was said before a compaction may be told by its words alone.
  if (type === "compaction" && typeof content === "string") return `[The conversation so far: ${content}]`;
  const kind = RESULT_TYPE.exec(type)?.[1];
  if (kind === undefined) return undefined;
  return `[The ${kind} tool ${is_error === true ? "failed with" : "gave"}: ${contentText(content)}]`;
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  const texts = Array.isArray(content) ? content.map((part) => isObject(part) ? part.text : undefined) : [];
  const plain = texts.length > 0 && texts.every((text) => typeof text === "string");
  return plain ? texts.join("\n") : JSON.stringify(withoutOpaque(content) ?? null);
}

/** Leaves out what only its author can read; text that is called data stays. */
function withoutOpaque(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOpaque);
  if (!isObject(value)) return value;
  const isText = value.type === "text";
  const kept = Object.entries(value).filter(([field]) =>
    !OPAQUE_FIELDS.test(field) || (isText && field === "data")
  );
  return Object.fromEntries(kept.map(([field, item]) => [field, withoutOpaque(item)]));
}
