import type { Caller } from "../access/caller.ts";
import type { Ask } from "../anthropic/ask.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { type FirstContent, firstContent, preferRetryable } from "./attempt.ts";
import { ApiError, toApiError } from "../base/errors.ts";
import { relay } from "../base/relay.ts";
import { quote } from "../base/redact.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { logWarning } from "../observability/log.ts";
import { findFallback } from "../upstreams/find_route.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";

/** Options of {@linkcode withFallbacks}. */
export interface FallbackOptions {
  context: MessageContext;
  /** The route that is tried first. */
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** Called with the next route before it is tried. */
  onRoute(route: Route): void;
}

/**
 * Tries a route, then its fallbacks in order, until one answers. Stops at a failure that another route would not avoid,
 * and at a final failure: another route would run the tools again. After the first content, a failure ends the answer.
 *
 * Targets that cool down after failures are tried last, and not before the time that their upstream stated.
 *
 * The loss report is cleared before each fallback. It then holds the losses of the route that answers.
 *
 * @throws {ApiError} the failure that a repeat may cure, or the first; `rate_limit_error` or `overloaded_error` with
 * `retry-after` if nothing was tried because it is too early for all targets.
 */
export function withFallbacks(
  askForRoute: (route: Route) => Ask,
  { context, route: first, caller, signal, loss, onRoute }: FallbackOptions,
): Ask {
  if (first.fallbacks.length === 0) return askForRoute(first);
  return (request) => relay(() => askFirst(request));

  async function askFirst(request: MessagesRequest): Promise<AsyncGenerator<StreamEvent[]>> {
    const failures: ApiError[] = [];
    const next = (route: Route) =>
      findFallback(context, route, caller).catch((error) => {
        failures.push(toApiError(error));
        return undefined;
      });
    for (let route: Route | undefined = first; route !== undefined;) {
      const attempt = context.targetHealth.start(route, route.fallbacks, caller);
      if (attempt.status === "cooling") throw preferRetryable(failures) ?? coolingError(first, attempt);
      if (attempt.status === "elsewhere") {
        route = await next(route);
        if (route !== undefined) onRoute(route);
        continue;
      }
      const asking = firstContent(askForRoute(route)(request), signal);
      const { answer, failure }: FirstContent = await endAttempt(attempt, asking);
      if (answer !== undefined) return answer;
      if (failure.final) throw failure;
      failures.push(failure);
      if (!isRetryableElsewhere(failure)) break;
      const fields = { model: toRouteLabel(route), error: failure };
      logWarning("model failed, trying the next fallback, if any", fields, "upstream");
      route = await next(route);
      if (route === undefined) break;
      loss.clear();
      onRoute(route);
    }
    throw preferRetryable(failures);
  }
}

async function endAttempt(
  attempt: { end(answered: boolean): void },
  asking: Promise<FirstContent>,
): Promise<FirstContent> {
  let answered = false;
  try {
    const content = await asking;
    answered = content.answer !== undefined;
    return content;
  } finally {
    attempt.end(answered);
  }
}

/** Returns the error of a request for which it is too early to ask any target. */
function coolingError(
  { alias }: Route,
  { retryAfterS, limited }: { retryAfterS: number; limited: boolean },
): ApiError {
  return new ApiError(
    limited ? "rate_limit_error" : "overloaded_error",
    `Cannot use model ${
      quote(alias)
    }: each of its upstreams asked for a pause, which ends in ${retryAfterS} s at the earliest`,
    { retryAfter: String(retryAfterS) },
  );
}

/** True if another route may avoid the failure: no credit, missing model, rate limit or outage. */
function isRetryableElsewhere({ status }: ApiError): boolean {
  return status === 402 || status === 404 || status === 429 || status >= 500;
}
