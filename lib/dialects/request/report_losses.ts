import type { Content, ContentBlock, Message, MessagesRequest } from "../../anthropic/schema.ts";
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
  reportFields(unsentFields(request, [...REQUEST_FIELDS, ...handled]), "", loss);
  // `metadata` is never sent: Claude Code puts the device's id into it, which is private.
  reportFields(unsentFields(request.metadata, []), "metadata.", loss);
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
  reportFields(unsentFields(thinking, ["type", "budget_tokens", "display"]), "thinking.", loss);
  // Thinking is shown or omitted. Other ways, such as `updates`, need a model that supports them.
  const display = isObject(thinking) ? thinking.display : undefined;
  if (typeof display === "string" && display !== "summarized" && display !== "omitted") {
    loss.add("thinking.display", "approximated");
  }
  reportFields(unsentFields(output_config, ["effort", "format"]), "output_config.", loss);
  reportFields(unsentFields(output_config?.format, ["type", "schema"]), "output_config.format.", loss);
  reportFields(unsentFields(output_format, ["type", "schema"]), "output_format.", loss);
  reportFields(unsentFields(tool_choice, TOOL_CHOICE_FIELDS), "tool_choice.", loss);
  reportFields(unsentInBlocks(request.system ?? ""), "system.", loss);
  for (let at = 0; at < request.messages.length; at++) {
    const message = request.messages[at];
    const fields = message === undefined ? NONE : unsentInMessage(message);
    if (fields.length > 0) reportFields(fields, `messages.${at}.`, loss);
  }
}

function reportFields(fields: readonly string[], prefix: string, loss: LossReport): void {
  for (const field of fields) {
    const path = `${prefix}${field}`;
    if (!loss.covers(path)) loss.add(path, "dropped");
  }
}

// Most values have no such field: then these functions create neither lists nor paths.

function unsentInMessage(message: Message): readonly string[] {
  return joinLists(
    joinLists(
      unsentFields(message, MESSAGE_FIELDS),
      below("output_config", unsentFields(message.output_config, EFFORT_FIELDS)),
    ),
    below("content", unsentInBlocks(message.content)),
  );
}

function unsentInBlocks(content: Content): readonly string[] {
  if (typeof content === "string") return NONE;
  let fields: string[] | undefined;
  for (let at = 0; at < content.length; at++) {
    const block = content[at];
    if (block === undefined) continue;
    for (const field of unsentInBlock(block)) (fields ??= []).push(`${at}.${field}`);
  }
  return fields ?? NONE;
}

function unsentInBlock(block: ContentBlock): readonly string[] {
  const handled = BLOCK_FIELDS.get(block.type);
  if (handled === undefined) return NONE; // an unknown type, reported when the block is converted
  const fields = unsentFields(withoutDirectCaller(block), handled);
  if (block.type === "tool_result") {
    return joinLists(fields, below("content", unsentInBlocks(block.content ?? "")));
  }
  if (block.type !== "image" && block.type !== "document") return fields;
  const { source } = block;
  const nested = source.type === "content" ? below("content", unsentInBlocks(source.content)) : NONE;
  return joinLists(fields, below("source", joinLists(unsentFields(source, SOURCE_FIELDS), nested)));
}

function unsentFields(value: unknown, handled: readonly string[]): readonly string[] {
  if (!isObject(value)) return NONE;
  let fields: string[] | undefined;
  for (const field in value) {
    if (handled.includes(field) || value[field] === null || value[field] === undefined) continue;
    (fields ??= []).push(field);
  }
  return fields ?? NONE;
}

function below(step: string, paths: readonly string[]): readonly string[] {
  return paths.length === 0 ? NONE : paths.map((path) => `${step}.${path}`);
}

function joinLists(first: readonly string[], second: readonly string[]): readonly string[] {
  if (first.length === 0) return second;
  return second.length === 0 ? first : [...first, ...second];
}

const NONE: readonly string[] = [];

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

const MESSAGE_FIELDS = ["role", "content", "output_config", "clear_at"];

const EFFORT_FIELDS = ["effort"];

const TOOL_CHOICE_FIELDS = ["type", "name", "disable_parallel_tool_use"];

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
