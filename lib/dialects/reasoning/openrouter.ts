import { fromBase64Url } from "../../base/base64url.ts";
import { isObject, type JsonObject, tryJson } from "../../base/json.ts";

/**
 * How OpenRouter's Anthropic endpoint says reasoning that Anthropic's language has no words for: as the `data` of a
 * `redacted_thinking` block, a reasoning detail of chat completions in base64.
 */
const REASONING_PREFIX = "openrouter.reasoning:";

/** Tells OpenRouter's own reasoning from what Anthropic encrypted. */
export function isOpenRouterReasoning(data: unknown): data is string {
  return typeof data === "string" && data.startsWith(REASONING_PREFIX);
}

/** Reads the detail; `undefined` where there is none. */
export function readOpenRouterReasoning(data: string): JsonObject | undefined {
  const detail = isOpenRouterReasoning(data)
    ? tryJson(fromBase64Url(data.slice(REASONING_PREFIX.length)) ?? "")
    : undefined;
  return isObject(detail) ? detail : undefined;
}

/** Writes a detail as OpenRouter would. */
export function writeOpenRouterReasoning(detail: JsonObject): string {
  const binary = Array.from(
    new TextEncoder().encode(JSON.stringify(detail)),
    (byte) => String.fromCharCode(byte),
  );
  return REASONING_PREFIX + btoa(binary.join(""));
}
