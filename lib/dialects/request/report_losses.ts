import type { Content, ContentBlock, MessagesRequest } from "../../anthropic/schema.ts";
import { isObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";

/**
 * Reports the top-level and `metadata` fields of a request that OpenAI's APIs do not have.
 *
 * `handled` has the fields that a dialect translates beside those that all translate.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { reportRequestFields } from "./report_losses.ts";
 *
 * const loss = new LossReport();
 * reportRequestFields({ model: "m", max_tokens: 8, messages: [{ role: "user", content: "Hi" }], speed: "fast" }, loss);
 * if (loss.toHeader() !== "speed;dropped") throw new Error(loss.toHeader());
 * ```
 */
export function reportRequestFields(
  request: MessagesRequest,
  loss: LossReport,
  handled: readonly string[] = [],
): void {
  reportUnknownFields(request, [...REQUEST_FIELDS, ...handled], "", loss);
  // `metadata` is never sent: Claude Code puts the device's id into it, which is private.
  reportUnknownFields(request.metadata, [], "metadata", loss);
}

/**
 * Reports nested fields of a request that are not translated, at any depth. Fields below a path that is already
 * reported as dropped or approximated are omitted, so call it last.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { reportUnsentFields } from "./report_losses.ts";
 *
 * const loss = new LossReport();
 * const messages = [{ role: "user" as const, content: [{ type: "text" as const, text: "Hi", mood: "glad" }] }];
 * reportUnsentFields({ model: "m", max_tokens: 8, messages }, loss);
 * if (loss.toHeader() !== "messages.0.content.0.mood;dropped") throw new Error(loss.toHeader());
 * ```
 */
export function reportUnsentFields(request: MessagesRequest, loss: LossReport): void {
  const { output_config, output_format, thinking, tool_choice } = request;
  reportUnknownFields(thinking, ["type", "budget_tokens", "display"], "thinking", loss);
  // Thinking is shown or omitted. Other ways, such as `updates`, need a model that supports them.
  const display = isObject(thinking) ? thinking.display : undefined;
  if (typeof display === "string" && display !== "summarized" && display !== "omitted") {
    loss.add("thinking.display", "approximated");
  }
  reportUnknownFields(output_config, ["effort", "format"], "output_config", loss);
  reportUnknownFields(output_config?.format, ["type", "schema"], "output_config.format", loss);
  reportUnknownFields(output_format, ["type", "schema"], "output_format", loss);
  reportUnknownFields(tool_choice, ["type", "name", "disable_parallel_tool_use"], "tool_choice", loss);
  reportBlocks(request.system ?? "", "system", loss);
  request.messages.forEach((message, at) => {
    reportUnknownFields(message, ["role", "content", "output_config", "clear_at"], `messages.${at}`, loss);
    reportUnknownFields(message.output_config, ["effort"], `messages.${at}.output_config`, loss);
    reportBlocks(message.content, `messages.${at}.content`, loss);
  });
}

function reportBlocks(content: Content, path: string, loss: LossReport): void {
  if (typeof content === "string") return;
  content.forEach((block, at) => {
    const itemPath = `${path}.${at}`;
    const handled = BLOCK_FIELDS.get(block.type);
    if (handled === undefined) return; // an unknown type, reported when the block is converted
    reportUnknownFields(withoutDirectCaller(block), handled, itemPath, loss);
    if (block.type === "tool_result") reportBlocks(block.content ?? "", `${itemPath}.content`, loss);
    if (block.type !== "image" && block.type !== "document") return;
    reportUnknownFields(block.source, SOURCE_FIELDS, `${itemPath}.source`, loss);
    if (block.source.type === "content") {
      reportBlocks(block.source.content, `${itemPath}.source.content`, loss);
    }
  });
}

function reportUnknownFields(
  value: unknown,
  handled: readonly string[],
  path: string,
  loss: LossReport,
): void {
  if (!isObject(value)) return;
  for (const [field, fieldValue] of Object.entries(value)) {
    if (fieldValue === null || fieldValue === undefined || handled.includes(field)) continue;
    const itemPath = path === "" ? field : `${path}.${field}`;
    if (!loss.covers(itemPath)) loss.add(itemPath, "dropped");
  }
}

/** Removes the `caller` of a call that the model made directly, which is the default. */
function withoutDirectCaller(block: ContentBlock): unknown {
  if (block.type !== "tool_use" || !isObject(block.caller) || block.caller.type !== "direct") return block;
  const { caller: _caller, ...rest } = block;
  return rest;
}

/** Fields of a request that are translated, or that only the gateway uses. */
const REQUEST_FIELDS = [
  "model",
  "messages",
  "system",
  "max_tokens",
  "stream",
  "stop_sequences",
  "temperature",
  "top_p",
  "top_k",
  "tools",
  "tool_choice",
  "thinking",
  "output_config",
  "output_format",
  "metadata",
  "cache_control",
];

/** Fields of all types of sources. */
const SOURCE_FIELDS = ["type", "media_type", "data", "url", "file_id", "content"];

/** Fields of blocks that are translated, or reported when the block is converted. */
const BLOCK_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["text", ["type", "text", "citations", "cache_control"]],
  ["image", ["type", "source", "cache_control"]],
  ["document", ["type", "source", "title", "context", "citations", "cache_control"]],
  ["search_result", ["type", "source", "title", "content", "citations", "cache_control"]],
  ["thinking", ["type", "thinking", "signature"]],
  ["redacted_thinking", ["type", "data"]],
  ["tool_use", ["type", "id", "name", "input", "cache_control"]],
  ["tool_result", ["type", "tool_use_id", "content", "is_error", "cache_control"]],
  ["tool_reference", ["type", "tool_name", "cache_control"]],
]);
