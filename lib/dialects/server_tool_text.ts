import type { ContentBlock } from "../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../base/json.ts";
import { fenceText } from "./fence.ts";

/** Fields that only their author can use: encrypted copies, signatures, bytes of files, cache marks, callers. */
const OPAQUE_FIELDS = /^encrypted_|^(signature|data|cache_control|caller)$/;
const RESULT_TYPE = /^(?!tool_result$)(\w+?)_?tool_result$/;

/**
 * Describes a call or result of a server tool as text, for a model without that tool. The content of a result is
 * fenced.
 *
 * Also describes the summary that a compaction left. Returns `undefined` for any other block.
 *
 * @example Usage
 * ```ts
 * import { describeServerTool } from "./server_tool_text.ts";
 *
 * const call = { type: "server_tool_use", id: "srvtoolu_1", name: "web_search", input: { query: "bees" } };
 * // The literal stands for the type of any block that the schema does not declare.
 * const text = describeServerTool({ ...call, type: call.type as "(unknown)" });
 * if (text !== '[The tool web_search was used with {"query":"bees"}]') throw new Error(text);
 * ```
 */
export function describeServerTool(block: ContentBlock): string | undefined {
  // The schema does not declare these types, because other code only passes the blocks on.
  const { type, name, server_name, input, tool_use_id, content, is_error }: JsonObject & { type: string } = {
    ...block,
  };
  if (type === "server_tool_use" || type === "mcp_tool_use") {
    const server = typeof server_name === "string" ? ` of ${server_name}` : "";
    return `[The tool ${asText(name)}${server} was used with ${JSON.stringify(withoutOpaque(input))}]`;
  }
  // The summary may be the only record of the conversation before a compaction.
  if (type === "compaction" && typeof content === "string") return `[The conversation so far: ${content}]`;
  const kind = RESULT_TYPE.exec(type)?.[1];
  if (kind === undefined) return undefined;
  const outcome = is_error === true ? "failed with" : "returned";
  return `[The ${kind} tool ${outcome}:\n${fenceText(contentText(content), asText(tool_use_id))}]`;
}

function contentText(content: unknown): string {
  if (typeof content === "string") return content;
  const texts = Array.isArray(content) ? content.map((part) => isObject(part) ? part.text : undefined) : [];
  const plain = texts.length > 0 && texts.every((text) => typeof text === "string");
  return plain ? texts.join("\n") : JSON.stringify(withoutOpaque(content) ?? null);
}

/** Removes the opaque fields at any depth; the `data` of a plain text stays. */
function withoutOpaque(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutOpaque);
  if (!isObject(value)) return value;
  const isText = value.type === "text";
  const kept = Object.entries(value).filter(([field]) =>
    !OPAQUE_FIELDS.test(field) || (isText && field === "data")
  );
  return Object.fromEntries(kept.map(([field, item]) => [field, withoutOpaque(item)]));
}
