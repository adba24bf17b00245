import type { Caller } from "../access/caller.ts";
import { ApiError } from "../base/errors.ts";
import { LOCAL } from "../config/gateway_keys.ts";
import { findModel, toFacts } from "./model_list.ts";
import { hostFacts } from "../dialects/mod.ts";
import { resolveModel, resolveTarget, unknownModelError } from "./resolve.ts";
import type { ModelCache } from "./model_cache.ts";
import type { Directory, Route } from "./upstream.ts";

/** Where models are looked up: by the settings, and in the lists of the upstreams. */
export interface ModelLookup {
  directory: Directory;
  modelCache: ModelCache;
}

/**
 * Finds the way for a model's name, as far as this caller may go it.
 *
 * A model that the upstream's list does not have is refused where the list is whole, unless there is a fallback; names
 * that mean more than one model (`~author/…-latest`, `@preset/…`) are the upstream's to judge.
 *
 * @throws {ApiError} `not_found_error` for a model nobody has, `authentication_error` or
 * `api_error` where there is no key to use.
 */
export async function findRoute(lookup: ModelLookup, name: string, caller: Caller): Promise<Route> {
  return await completeRoute(lookup, resolveModel(name, lookup.directory), caller);
}

/**
 * Finds whom to ask instead of a route that failed; `undefined` where nobody is left.
 *
 * @throws {ApiError} as {@linkcode findRoute} does.
 */
export async function findFallback(
  lookup: ModelLookup,
  { alias, fallbacks: [next, ...fallbacks] }: RouteWithoutFacts,
  caller: Caller,
): Promise<Route | undefined> {
  if (next === undefined) return undefined;
  const target = typeof next === "string" ? { model: next } : next;
  return await completeRoute(
    lookup,
    { ...resolveTarget(alias, target, lookup.directory), fallbacks },
    caller,
  );
}

/** A route of whose model nothing is known yet. */
type RouteWithoutFacts = Omit<Route, "facts">;

async function completeRoute(lookup: ModelLookup, route: RouteWithoutFacts, caller: Caller): Promise<Route> {
  const { upstream, model } = route;
  if (upstream.acceptsClientKey && upstream.key === undefined && caller.key === undefined) {
    throw missingKeyError(upstream.name, caller);
  }
  const listed = await lookup.modelCache.get(upstream, caller);
  const found = findModel(listed, model);
  const complete = listed.length > 0 && hostFacts(upstream.preset).list === "all";
  if (!complete || found !== undefined || /^[~@]/.test(model)) return { ...route, facts: toFacts(found) };
  const fallback = await findFallback(lookup, route, caller);
  if (fallback !== undefined) return fallback;
  throw unknownModelError(route, listed.map(({ id }) => id));
}

/** The error for an upstream that nobody has a key for: the client, if it may bring one, or else the owner must see to it. */
function missingKeyError(name: string, { client }: Caller): ApiError {
  if (client === LOCAL) {
    return new ApiError(
      "authentication_error",
      `x-api-key header is required: upstream "${name}" has no key of its own (model "demo/echo" needs none)`,
    );
  }
  const why = "the gateway has no key for it, and passes none of its clients' on";
  return new ApiError("api_error", `Cannot ask upstream "${name}": ${why}`, { retryable: false });
}

/** Names the upstream and the model, in characters that a header may hold. */
export function toRouteLabel({ upstream, model }: Pick<Route, "upstream" | "model">): string {
  return `${upstream.name}/${model}`.toWellFormed().replace(/[^\w./:@~+-]/gu, encodeURIComponent);
}
