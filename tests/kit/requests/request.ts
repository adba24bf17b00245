import type { Settings } from "../../../lib/config/settings.ts";
import type { Json } from "../json.ts";

/** A model for each API that the gateway reaches upstreams by: chat completions, Anthropic's Messages, or Responses. */
export const MODELS = {
  chat: "vendor/model",
  native: "anthropic/claude-opus-5.5",
  responses: "vendor/reasoner",
} as const;

/** The API by which the gateway reaches an upstream. */
export type UpstreamApi = keyof typeof MODELS;

/** All APIs, to run a test over. */
export const UPSTREAM_APIS: readonly UpstreamApi[] = ["chat", "native", "responses"];

/** Settings by which the gateway reaches the default upstream by an API. */
export const API_SETTINGS: Readonly<Record<UpstreamApi, Settings>> = {
  chat: {},
  native: {},
  responses: { UPSTREAM_DIALECT: "responses" },
};

/** Returns the smallest request for a message, with other fields laid over it. */
export function minimalRequest(api: UpstreamApi, fields: Json = {}): Json {
  return { model: MODELS[api], max_tokens: 64, messages: [{ role: "user", content: "Hi" }], ...fields };
}
