import type { Message, MessagesRequest } from "../anthropic/schema.ts";
import type { Ask } from "../anthropic/ask.ts";
import { type FirstContent, firstContent, preferRetryable } from "./attempt.ts";
import { hostFacts, UpstreamError } from "../dialects/mod.ts";
import type { ApiError } from "../base/errors.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";

/** Options of {@linkcode withRetry}. */
export interface RetryOptions {
  signal: AbortSignal;
  loss: LossReport;
  /** True if requests must not be shortened: the client then receives the failure. */
  strict: boolean;
}

/** Smallest `max_tokens` that some providers accept. */
const MIN_ANSWER_TOKENS = 16;

/**
 * Retries a failed request on the same route with an adjustment, before the answer starts: with fewer output tokens, as
 * many as the account can pay for (reported as `max_tokens;approximated`), without the provider that failed for no
 * reason, or without thinking blocks that the upstream rejects (reported as dropped).
 *
 * Only {@linkcode send} repeats a request unchanged, if the settings enable that.
 */
export function withRetry(
  askForRoute: (route: Route) => Ask,
  { signal, loss, strict }: RetryOptions,
): (route: Route) => Ask {
  return (route) =>
    async function* (request) {
      const failures: ApiError[] = [];
      let next: RoutedRequest | undefined = { route, request };
      while (next !== undefined) {
        const { answer, failure }: FirstContent = await firstContent(
          askForRoute(next.route)(next.request),
          signal,
        );
        if (answer !== undefined) return yield* answer;
        failures.push(failure);
        next = adjust(next, failure, strict);
        if (next?.shortened) loss.add("max_tokens", "approximated");
      }
      throw preferRetryable(failures);
    };
}

/** A request and its route. */
interface RoutedRequest {
  route: Route;
  request: MessagesRequest;
  shortened?: boolean;
}

/** Returns the adjusted request, or undefined if no adjustment applies. Each adjustment is made once. */
function adjust(sent: RoutedRequest, failure: ApiError, strict: boolean): RoutedRequest | undefined {
  const { route, request, shortened } = sent;
  const adjustment = failure instanceof UpstreamError ? failure.adjustment : undefined;
  if (adjustment === undefined) return undefined;
  if ("excludeProvider" in adjustment) {
    const applicable = hostFacts(route.upstream.preset).excludesProviders &&
      route.excludeProvider === undefined;
    return applicable
      ? { ...sent, route: { ...route, excludeProvider: adjustment.excludeProvider } }
      : undefined;
  }
  if ("dropThinking" in adjustment) {
    const applicable = route.dropThinking !== true && request.messages.some(hasThinking);
    return applicable ? { ...sent, route: { ...route, dropThinking: true } } : undefined;
  }
  const applicable = !strict && !shortened && isUsableMaxTokens(request, adjustment.maxTokens);
  return applicable
    ? { ...sent, request: { ...request, max_tokens: adjustment.maxTokens }, shortened: true }
    : undefined;
}

function hasThinking({ content }: Message): boolean {
  return typeof content !== "string" && content.some(({ type }) => THINKING_TYPES.has(type));
}

const THINKING_TYPES = new Set(["thinking", "redacted_thinking"]);

/** True if `tokens` allows an answer: at least the minimum, fewer than requested, and more than the thinking budget. */
function isUsableMaxTokens({ max_tokens, thinking }: MessagesRequest, tokens: number): boolean {
  const thinkingTokens = thinking?.type === "enabled" ? thinking.budget_tokens : 0;
  return tokens >= MIN_ANSWER_TOKENS && tokens < max_tokens && tokens > thinkingTokens;
}
