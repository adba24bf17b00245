import type { MessagesRequest, Thinking } from "../../anthropic/schema.ts";
import type { LossReport } from "../loss.ts";

/** Smallest `max_tokens` that some providers accept. */
const MIN_ANSWER_TOKENS = 16;
/** Smallest thinking budget of Anthropic's API. */
const MIN_BUDGET_TOKENS = 1024;

/** Shortens the answer to what the account can pay for, if that leaves an answer after the thinking. */
export function withAffordableTokens(
  request: MessagesRequest,
  tokens: number,
  loss: LossReport,
): MessagesRequest {
  const { thinking, max_tokens } = request;
  const thinkingTokens = thinking?.type === "enabled" ? thinking.budget_tokens : 0;
  if (tokens < MIN_ANSWER_TOKENS || tokens >= max_tokens || tokens <= thinkingTokens) return request;
  loss.add("max_tokens", "approximated");
  return { ...request, max_tokens: tokens };
}

/** Lowers `max_tokens` to the limit of the model, and a thinking budget that would leave no answer. */
export function withCappedTokens(
  request: MessagesRequest,
  tokens: number,
  loss: LossReport,
): MessagesRequest {
  const { max_tokens, thinking } = request;
  if (tokens < 1 || tokens >= max_tokens) return request;
  loss.add("max_tokens", "approximated");
  const capped = { ...request, max_tokens: tokens };
  if (thinking?.type !== "enabled" || thinking.budget_tokens < tokens) return capped;
  const budget = Math.floor(tokens / 2);
  loss.add("thinking.budget_tokens", "approximated");
  return budget < MIN_BUDGET_TOKENS
    ? { ...capped, thinking: undefined }
    : { ...capped, thinking: { ...thinking, budget_tokens: budget } };
}

/** Removes thinking and efforts, for a model that takes neither. */
export function withoutThinkingOptions(request: MessagesRequest, loss: LossReport): MessagesRequest {
  const { thinking, output_config, messages, ...rest } = request;
  // Disabled thinking is no loss for a model that cannot think.
  if (thinking && thinking.type !== "disabled") loss.add("thinking", "dropped");
  if (output_config?.effort) loss.add("output_config.effort", "dropped");
  messages.forEach((message, at) => {
    if (message.output_config?.effort) loss.add(`messages.${at}.output_config.effort`, "dropped");
  });
  return {
    ...rest,
    ...(output_config && { output_config: { ...output_config, effort: undefined } }),
    messages: messages.map((message) =>
      message.output_config ? { ...message, output_config: undefined } : message
    ),
  };
}

/** Replaces a kind of thinking that the model rejects by the nearest one that it accepts. */
export function withOtherThinking(
  request: MessagesRequest,
  change: "always_thinks" | "adaptive_thinking" | "budgeted_thinking",
  loss: LossReport,
): MessagesRequest {
  const { thinking, max_tokens } = request;
  const replace = (other: Thinking | undefined, path: string): MessagesRequest => {
    loss.add(path, "approximated");
    return { ...request, thinking: other };
  };
  if (change === "always_thinks" && thinking?.type === "disabled") return replace(undefined, "thinking");
  if (change === "adaptive_thinking" && thinking?.type === "enabled") {
    const { budget_tokens: _budget, ...rest } = thinking;
    return replace({ ...rest, type: "adaptive" }, "thinking.budget_tokens");
  }
  if (change === "budgeted_thinking" && thinking?.type === "adaptive") {
    const budget_tokens = Math.floor(max_tokens / 2);
    const other: Thinking | undefined = budget_tokens < MIN_BUDGET_TOKENS
      ? undefined
      : { ...thinking, type: "enabled", budget_tokens };
    return replace(other, "thinking");
  }
  return request;
}
