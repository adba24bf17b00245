import type { Caller } from "../access/caller.ts";
import type { Ask } from "../anthropic/ask.ts";
import { type FirstContent, firstContent, preferRetryable } from "./attempt.ts";
import { type ApiError, toApiError } from "../base/errors.ts";
import type { MessageContext } from "./context.ts";
import type { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { logWarning } from "../observability/log.ts";
import { findFallback, toRouteLabel } from "../upstreams/find_route.ts";

/** What asking one after the other has to know. */
export interface FallbackOptions {
  context: MessageContext;
  /** Who is asked first. */
  route: Route;
  caller: Caller;
  signal: AbortSignal;
  loss: LossReport;
  /** Hears whom is asked next. */
  onRoute(route: Route): void;
}

/**
 * Asks the fallbacks of a route, in turn, as long as nobody has begun to answer and what failed may be better elsewhere.
 *
 * The loss report is begun anew for each, so that it tells the losses of the one that answers.
 */
export function withFallbacks(
  askForRoute: (route: Route) => Ask,
  { context, route: first, caller, signal, loss, onRoute }: FallbackOptions,
): Ask {
  if (first.fallbacks.length === 0) return askForRoute(first);
  return async function* (request) {
    const failures: ApiError[] = [];
    for (let route: Route | undefined = first; route !== undefined;) {
      const { answer, failure }: FirstContent = await firstContent(askForRoute(route)(request), signal);
      if (answer !== undefined) return yield* answer;
      failures.push(failure);
      if (!isRetryableElsewhere(failure)) break;
      logWarning("A fallback is asked, if there is one", { model: toRouteLabel(route), error: failure });
      route = await findFallback(context, route, caller).catch((error) => {
        failures.push(toApiError(error));
        return undefined;
      });
      if (route === undefined) break;
      loss.clear();
      onRoute(route);
    }
    throw preferRetryable(failures);
  };
}

/** Whether somebody else may not have this failure: an empty account, a model that is gone, a limit, a breakdown. */
function isRetryableElsewhere({ status }: ApiError): boolean {
  return status === 402 || status === 404 || status === 429 || status >= 500;
}
