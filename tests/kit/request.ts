import type { Json } from "./json.ts";

/** A model for each API that the gateway reaches upstreams by: chat completions, or Anthropic's Messages. */
export const MODELS = { chat: "vendor/model", native: "anthropic/claude-opus-5.5" } as const;

/** The API by which the gateway reaches an upstream. */
export type UpstreamApi = keyof typeof MODELS;

/** Both APIs, to run a test over. */
export const UPSTREAM_APIS: readonly UpstreamApi[] = ["chat", "native"];

/** Returns the smallest request for a message, with other fields laid over it. */
export function minimalRequest(api: UpstreamApi, fields: Json = {}): Json {
  return { model: MODELS[api], max_tokens: 64, messages: [{ role: "user", content: "Hi" }], ...fields };
}
