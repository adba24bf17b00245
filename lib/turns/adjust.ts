import type { Ask } from "../anthropic/ask.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import type { ApiError } from "../base/errors.ts";
import {
  type Adjustment,
  isRemembered,
  isSameAdjustment,
  toAdjustmentLabel,
} from "../dialects/adjustments/adjustment.ts";
import { relay } from "../base/relay.ts";
import { LossReport } from "../dialects/loss.ts";
import { UpstreamError } from "../dialects/mod.ts";
import type { RequestObserver } from "../observability/request_observer.ts";
import { logWarning } from "../observability/log.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import type { Route } from "../upstreams/upstream.ts";
import { type FirstContent, firstContent, preferRetryable } from "./attempt.ts";
import type { MessageContext } from "./context.ts";
import { type PrepareOptions, prepareTurn } from "./prepare_turn.ts";
import { withRouteOptions } from "./route_options.ts";

/** Options of {@linkcode withAdjustments}. */
export interface AdjustOptions extends Pick<PrepareOptions, "caller" | "restoresNulls"> {
  signal: AbortSignal;
  observer: RequestObserver;
}

/** Maximum number of changes of one request, each with one more request to the upstream. */
const MAX_CHANGES = 2;

/**
 * Sends a request that the upstream refused once more, with the change that the refusal shows: see
 * `dialects/adjustments/refusals.ts`. Each change is reported as a loss.
 *
 * Only a refusal before the first content of the answer is treated so. A change that does not change the body is not
 * tried. The changes that helped are remembered for the model: those of an answered request, and those after which the
 * upstream refused something else.
 *
 * Only {@linkcode send} repeats a request unchanged, if the settings enable that.
 */
export function withAdjustments(
  context: MessageContext,
  askForRoute: (route: Route) => Ask,
  original: Route,
  options: AdjustOptions,
): Ask {
  return (request) =>
    relay(async () => {
      const failures: ApiError[] = [];
      const applied: Adjustment[] = [];
      while (true) {
        const route = withAdjustmentsOf(original, applied);
        const { answer, failure }: FirstContent = await firstContent(
          askForRoute(route)(request),
          options.signal,
        );
        if (answer !== undefined) {
          context.learned.add(route, applied);
          return answer;
        }
        failures.push(failure);
        const adjustment = failure instanceof UpstreamError ? failure.adjustment : undefined;
        if (adjustment === undefined || applied.some((one) => isRepeated(one, adjustment))) break;
        // The upstream no longer refuses what the earlier changes were for.
        context.learned.add(route, applied);
        if (
          applied.length === MAX_CHANGES ||
          !(await changesBody(context, request, { ...options, route: original, applied, adjustment }))
        ) {
          break;
        }
        applied.push(adjustment);
        const change = toAdjustmentLabel(adjustment);
        options.observer.onRemedy(change);
        const fields = { model: toRouteLabel(route), change, error: failure };
        logWarning("upstream refused the request, sending it with a change", fields, "upstream");
      }
      throw preferRetryable(failures);
    });
}

/** True if a change was made already. Changes for one moment are made once, whatever their values. */
function isRepeated(made: Adjustment, adjustment: Adjustment): boolean {
  return isRemembered(adjustment) ? isSameAdjustment(made, adjustment) : made.change === adjustment.change;
}

function withAdjustmentsOf(route: Route, adjustments: readonly Adjustment[]): Route {
  return adjustments.length === 0
    ? route
    : { ...route, adjustments: [...(route.adjustments ?? []), ...adjustments] };
}

/** True if an adjustment changes what the upstream receives. */
async function changesBody(
  context: MessageContext,
  request: MessagesRequest,
  { route, caller, restoresNulls, applied, adjustment }: Pick<AdjustOptions, "caller" | "restoresNulls"> & {
    route: Route;
    applied: Adjustment[];
    adjustment: Adjustment;
  },
): Promise<boolean> {
  const bodies = [applied, [...applied, adjustment]].map(async (adjustments) => {
    const adjusted = withAdjustmentsOf(route, adjustments);
    const { body, betas } = await prepareTurn(context, request, {
      route: adjusted,
      caller,
      restoresNulls,
      loss: new LossReport(),
    });
    return JSON.stringify([withRouteOptions(body, adjusted), betas]);
  });
  const [before, after] = await Promise.all(bodies);
  return before !== after;
}
