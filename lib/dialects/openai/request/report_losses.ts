import type { Content, ContentBlock, MessagesRequest } from "../../../anthropic/schema.ts";
import { isObject } from "../../../base/json.ts";
import type { LossReport } from "../../loss.ts";

/**
 * Reports the fields of a request that have no place in chat completions.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../../loss.ts";
 * import { reportFields } from "./report_losses.ts";
 *
 * const loss = new LossReport();
 * reportFields({ model: "m", max_tokens: 8, messages: [{ role: "user", content: "Hi" }], speed: "fast" }, loss);
 * if (loss.toHeader() !== "speed;dropped") throw new Error(loss.toHeader());
 * ```
 */
export function reportFields(request: MessagesRequest, loss: LossReport): void {
  reportRest(request, REQUEST, "", loss);
  // Claude Code packs the device's id into it, which is no third party's business.
  reportRest(request.metadata, [], "metadata", loss);
}

/**
 * Reports what is left of the parts of a request once they are said: their fields, at any depth, that nobody says in
 * other words. Of what is reported already as a whole the parts are not named.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../../loss.ts";
 * import { reportLeftovers } from "./report_losses.ts";
 *
 * const loss = new LossReport();
 * const messages = [{ role: "user" as const, content: [{ type: "text" as const, text: "Hi", mood: "glad" }] }];
 * reportLeftovers({ model: "m", max_tokens: 8, messages }, loss);
 * if (loss.toHeader() !== "messages.0.content.0.mood;dropped") throw new Error(loss.toHeader());
 * ```
 */
export function reportLeftovers(request: MessagesRequest, loss: LossReport): void {
  const { output_config, output_format, thinking, tool_choice } = request;
  reportRest(thinking, ["type", "budget_tokens", "display"], "thinking", loss);
  reportRest(output_config, ["effort", "format"], "output_config", loss);
  reportRest(output_config?.format, ["type", "schema"], "output_config.format", loss);
  reportRest(output_format, ["type", "schema"], "output_format", loss);
  reportRest(tool_choice, ["type", "name", "disable_parallel_tool_use"], "tool_choice", loss);
  reportBlocks(request.system ?? "", "system", loss);
  request.messages.forEach((message, at) => {
    reportRest(message, ["role", "content", "output_config"], `messages.${at}`, loss);
    reportRest(message.output_config, ["effort"], `messages.${at}.output_config`, loss);
    reportBlocks(message.content, `messages.${at}.content`, loss);
  });
}

function reportBlocks(content: Content, path: string, loss: LossReport): void {
  if (typeof content === "string") return;
  content.forEach((block, at) => {
    const place = `${path}.${at}`;
    const said = BLOCKS.get(block.type);
    if (said === undefined) return; // of no known kind, and so reported where it stands
    reportRest(withoutOwnCall(block), said, place, loss);
    if (block.type === "tool_result") reportBlocks(block.content ?? "", `${place}.content`, loss);
    if (block.type !== "image" && block.type !== "document") return;
    reportRest(block.source, SOURCE, `${place}.source`, loss);
    if (block.source.type === "content") reportBlocks(block.source.content, `${place}.source.content`, loss);
  });
}

function reportRest(value: unknown, said: readonly string[], path: string, loss: LossReport): void {
  if (!isObject(value)) return;
  for (const [field, held] of Object.entries(value)) {
    if (held === null || held === undefined || said.includes(field)) continue;
    const place = path === "" ? field : `${path}.${field}`;
    if (!loss.covers(place)) loss.add(place, "dropped");
  }
}

/** Who calls a tool is said only of others than the model itself. */
function withoutOwnCall(block: ContentBlock): unknown {
  if (block.type !== "tool_use" || !isObject(block.caller) || block.caller.type !== "direct") return block;
  const { caller: _caller, ...rest } = block;
  return rest;
}

/** The fields of a request that are said in other words, or concern the gateway alone. */
const REQUEST = [
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

/** The fields of all kinds of sources. */
const SOURCE = ["type", "media_type", "data", "url", "file_id", "content"];

/** The fields of blocks that are said, or reported where that is tried. */
const BLOCKS: ReadonlyMap<string, readonly string[]> = new Map([
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
