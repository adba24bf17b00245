import type { Route } from "./upstream.ts";

/** Formats upstream and model as `upstream/model`, in characters allowed in a header. */
export function toRouteLabel({ upstream, model }: Pick<Route, "upstream" | "model">): string {
  return `${upstream.name}/${model}`.toWellFormed().replace(/[^\w./:@~+-]/gu, encodeURIComponent);
}
