import { hostFacts, type ListPrice } from "../dialects/mod.ts";
import type { Route } from "./upstream.ts";

/** Returns the list price of a route: the host's price for all models or, without one, the model's price. */
export function listPriceOf({ upstream, facts }: Pick<Route, "upstream" | "facts">): ListPrice | undefined {
  return hostFacts(upstream.preset).price ?? facts.price;
}
