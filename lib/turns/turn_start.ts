import type { TurnStart } from "../observability/request_observer.ts";
import type { Route } from "../upstreams/upstream.ts";

/** Returns what is known of a turn by its route. */
export function toTurnStart({ upstream, model, dialect }: Route): Omit<TurnStart, "maxTokens"> {
  return { upstream: upstream.name, baseUrl: upstream.baseUrl, model, dialect: dialect.name };
}
