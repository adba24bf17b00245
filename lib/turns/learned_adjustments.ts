import { LruMap } from "../base/lru.ts";
import { type Adjustment, isRemembered, isSameAdjustment } from "../dialects/adjustments/adjustment.ts";
import type { Route } from "../upstreams/upstream.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";

/** Maximum number of models that are remembered; the least recently used is forgotten. */
const MAX_MODELS = 1000;
/** Maximum number of adjustments of a model. */
const MAX_ADJUSTMENTS = 16;

/** What the refusals of upstreams have shown, while the process lives. */
export interface LearnedAdjustments {
  /** Returns the adjustments for a route. */
  get(route: LearnedRoute): readonly Adjustment[];
  /** Adds adjustments after which the upstream of a route answered. */
  add(route: LearnedRoute, adjustments: readonly Adjustment[]): void;
  /** All adjustments, by `upstream/model`; the least recently used model first. */
  list(): { model: string; adjustments: readonly Adjustment[] }[];
}

/** The parts of a route that refusals depend on. */
export type LearnedRoute = Pick<Route, "upstream" | "model" | "dialect">;

/**
 * Creates an empty memory.
 *
 * @example Usage
 * ```ts
 * import { createLearnedAdjustments } from "./learned_adjustments.ts";
 *
 * const learned = createLearnedAdjustments();
 * if (learned.list().length > 0) throw new Error("expected no adjustments");
 * ```
 */
export function createLearnedAdjustments(): LearnedAdjustments {
  const models = new LruMap<string, { model: string; adjustments: readonly Adjustment[] }>(MAX_MODELS);
  return {
    get: (route) => models.get(toKey(route))?.adjustments ?? [],
    add(route, adjustments) {
      const known = models.get(toKey(route))?.adjustments ?? [];
      const added = adjustments.filter((adjustment) =>
        isRemembered(adjustment) && !known.some((one) => isSameAdjustment(one, adjustment))
      );
      if (added.length === 0) return;
      models.set(toKey(route), {
        model: toRouteLabel(route),
        adjustments: [...known, ...added].slice(-MAX_ADJUSTMENTS),
      });
    },
    list: () => models.values(),
  };
}

function toKey(route: LearnedRoute): string {
  return `${route.dialect.name} ${toRouteLabel(route)}`;
}
