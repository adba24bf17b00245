import { parseOpaqueJson } from "../opaque_json.ts";
import { isObject, type JsonObject } from "../../base/json.ts";

/**
 * Prefix of reasoning that OpenRouter's Messages endpoint cannot express in Anthropic's format.
 *
 * It is the `data` of a `redacted_thinking` block: a reasoning detail of chat completions in base64.
 */
const REASONING_PREFIX = "openrouter.reasoning:";

/** True if the data is OpenRouter's reasoning; false if Anthropic encrypted it. */
export function isOpenRouterReasoning(data: unknown): data is string {
  return typeof data === "string" && data.startsWith(REASONING_PREFIX);
}

/** Decodes the reasoning detail; `undefined` if the data holds none. */
export function readOpenRouterReasoning(data: string): JsonObject | undefined {
  const detail = isOpenRouterReasoning(data)
    ? parseOpaqueJson(data.slice(REASONING_PREFIX.length))
    : undefined;
  return isObject(detail) ? detail : undefined;
}

/** Encodes a reasoning detail in OpenRouter's format. */
export function writeOpenRouterReasoning(detail: JsonObject): string {
  const binary = Array.from(
    new TextEncoder().encode(JSON.stringify(detail)),
    (byte) => String.fromCharCode(byte),
  );
  return REASONING_PREFIX + btoa(binary.join(""));
}
