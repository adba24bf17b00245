/** Differences between upstreams with Anthropic's API. */
export interface AnthropicFeatures {
  /** True for Anthropic itself. Only Anthropic receives `metadata` and the billing block. */
  isAnthropic: boolean;
  /** Models whose requests are sent with `safeguards`, which holds paths and rules of the user's machine. */
  safeguards: "all" | "Claude" | "none";
  /** True if it accepts OpenRouter's `provider` and `session_id`. */
  routing: boolean;
}

/** True if requests for a model are sent with `safeguards`. */
export function sendsSafeguards(model: string, { safeguards }: AnthropicFeatures): boolean {
  return safeguards === "all" || (safeguards === "Claude" && isOpenRouterClaude(model));
}

/** True for the name of a Claude model at OpenRouter. */
export function isOpenRouterClaude(model: string): boolean {
  return /^~?anthropic\//.test(model);
}
