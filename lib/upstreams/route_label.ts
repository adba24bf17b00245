import type { Route } from "./upstream.ts";

/** Formats upstream and model as `upstream/model`, in characters allowed in a header. */
export function toRouteLabel({ upstream, model }: Pick<Route, "upstream" | "model">): string {
  const label = `${upstream.name}/${model}`;
  return PLAIN.test(label) ? label : label.toWellFormed().replace(/[^\w./:@~+-]/gu, encodeURIComponent);
}

const PLAIN = /^[\w./:@~+-]*$/;
