import type { Caller } from "../access/caller.ts";
import type { Ask } from "../anthropic/ask.ts";
import { type FirstContent, firstContent, preferRetryable } from "./attempt.ts";
import { type ApiError, toApiError } from "../base/errors.ts";
import { relay } from "../base/relay.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { logWarning } from "../observability/log.ts";
import { findFallback, toRouteLabel } from "../upstreams/find_route.ts";

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
 * and at a final failure: another route would run the tools again.
 *
 * The loss report is cleared before each fallback. It then holds the losses of the route that answers.
 */
export function withFallbacks(
  askForRoute: (route: Route) => Ask,
  { context, route: first, caller, signal, loss, onRoute }: FallbackOptions,
): Ask {
  if (first.fallbacks.length === 0) return askForRoute(first);
  return (request) =>
    relay(async () => {
      const failures: ApiError[] = [];
      for (let route: Route | undefined = first; route !== undefined;) {
        const { answer, failure }: FirstContent = await firstContent(askForRoute(route)(request), signal);
        if (answer !== undefined) return answer;
        if (failure.final) throw failure;
        failures.push(failure);
        if (!isRetryableElsewhere(failure)) break;
        const fields = { model: toRouteLabel(route), error: failure };
        logWarning("model failed, trying the next fallback, if any", fields, "upstream");
        route = await findFallback(context, route, caller).catch((error) => {
          failures.push(toApiError(error));
          return undefined;
        });
        if (route === undefined) break;
        loss.clear();
        onRoute(route);
      }
      throw preferRetryable(failures);
    });
}

/** True if another route may avoid the failure: no credit, missing model, rate limit or outage. */
function isRetryableElsewhere({ status }: ApiError): boolean {
  return status === 402 || status === 404 || status === 429 || status >= 500;
}
