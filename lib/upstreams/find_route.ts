import type { Caller } from "../access/caller.ts";
import type { ModelAccess } from "../access/model_access.ts";
import { ApiError } from "../base/errors.ts";
import { LOCAL } from "../config/gateway_keys.ts";
import { findClaudeSubstitute } from "./claude_model.ts";
import { findModel, type ListedModel, toFacts } from "./model_list.ts";
import { hostFacts } from "../dialects/mod.ts";
import {
  modelName,
  noUpstreamError,
  resolveGroups,
  resolveModel,
  resolveTarget,
  unknownModelError,
} from "./resolve.ts";
import type { ModelCache } from "./model_cache.ts";
import type { TargetHealth } from "./targets/target_health.ts";
import { DEMO, type Directory, type Route, type RouteTarget } from "./upstream.ts";

/** Sources of models: the settings, the model lists of upstreams, and which targets have failed. */
export interface ModelLookup {
  /** Decides which models an error may name. */
  access: { models: ModelAccess };
  directory: Directory;
  modelCache: ModelCache;
  targetHealth: TargetHealth;
}

/**
 * Finds the route for a model's name: of its targets, the first that does not cool down.
 *
 * If the upstream lists all of its models and this one is missing, a Claude model may have a substitute
 * ({@linkcode findClaudeSubstitute}); else the next fallback is used, else the model is rejected. Names that stand for
 * several models (`~author/…-latest`, `@preset/…`) are not checked.
 *
 * @throws {ApiError} `not_found_error` for an unknown model; without a key for the upstream, `authentication_error` if
 * the client may send one, else `api_error`.
 */
export async function findRoute(lookup: ModelLookup, name: string, caller: Caller): Promise<Route> {
  const groups = resolveGroups(name, lookup.directory);
  const targets: RouteTarget[] = [];
  for (const group of groups) targets.push(...lookup.targetHealth.order(group, caller));
  const route = chooseRoute(lookup, targets);
  if (route === undefined) throw noUpstreamError(name);
  return await completeRoute(lookup, route, caller);
}

/**
 * Finds the next target of a failed route; `undefined` if none is left.
 *
 * @throws {ApiError} as {@linkcode findRoute} does.
 */
export async function findFallback(
  lookup: ModelLookup,
  { fallbacks }: Pick<Route, "fallbacks">,
  caller: Caller,
): Promise<Route | undefined> {
  const route = chooseRoute(lookup, fallbacks);
  return route && await completeRoute(lookup, route, caller);
}

/**
 * Returns the route to one target, without any other in its place.
 *
 * @throws {ApiError} as {@linkcode findRoute} does.
 */
export async function findTargetRoute(
  lookup: ModelLookup,
  target: RouteTarget,
  caller: Caller,
): Promise<Route> {
  return await completeRoute(lookup, { ...target, fallbacks: [] }, caller);
}

function chooseRoute(lookup: ModelLookup, targets: readonly RouteTarget[]): RouteWithoutFacts | undefined {
  const choice = lookup.targetHealth.choose(targets);
  return choice && { ...choice.target, fallbacks: choice.others, skipped: choice.skipped };
}

/** A route before the facts of its model are looked up. */
type RouteWithoutFacts = Omit<Route, "facts">;

async function completeRoute(lookup: ModelLookup, route: RouteWithoutFacts, caller: Caller): Promise<Route> {
  const { upstream, model } = route;
  if (upstream.acceptsClientKey && upstream.key === undefined && caller.key === undefined) {
    throw missingKeyError(upstream.name, lookup.directory, caller);
  }
  const listed = upstream.models ?? await lookup.modelCache.get(upstream, caller);
  const found = findModel(listed, model);
  const complete = upstream.models !== undefined ||
    (listed.length > 0 && hostFacts(upstream.preset).list === "all");
  if (!complete || found !== undefined || /^[~@]/.test(model)) return { ...route, facts: toFacts(found) };
  const substitute = await findSubstitute(lookup, route, { listed, caller });
  if (substitute !== undefined) return substitute;
  const fallback = await findFallback(lookup, route, caller);
  if (fallback !== undefined) return fallback;
  const { access, directory } = lookup;
  const names = listed.map(({ id }) => modelName({ model: id, upstream }, directory))
    .filter((name) => access.models.allows(caller.client, [name]));
  throw unknownModelError(route, names);
}

/** Returns the route of the model that stands for an unlisted Claude model, or `undefined`. */
async function findSubstitute(
  lookup: ModelLookup,
  route: RouteWithoutFacts,
  { listed, caller }: { listed: readonly ListedModel[]; caller: Caller },
): Promise<Route | undefined> {
  const { directory } = lookup;
  const { alias, upstream } = route;
  const substitute = findClaudeSubstitute(route.model, listed);
  if (substitute === undefined) return undefined;
  if ("model" in substitute) {
    const target = { model: substitute.model, upstream: upstream.name };
    const { key, model, dialect } = resolveTarget(alias, target, directory);
    return { ...route, key, model, dialect, facts: toFacts(findModel(listed, model)) };
  }
  const target = resolveModel(substitute.alias, directory);
  const missing = target.upstream === upstream && findModel(listed, target.model) === undefined;
  return missing ? undefined : await completeRoute(lookup, { ...target, alias }, caller);
}

/**
 * Returns the error for an upstream without a key. The client can send one, unless the gateway has client keys.
 *
 * A model's name without an upstream means the default one, so the error names the others.
 */
function missingKeyError(name: string, { upstreams }: Directory, { client }: Caller): ApiError {
  const others = [...upstreams.keys()].filter((one) => one !== name && one !== DEMO)
    .slice(0, MAX_NAMED_UPSTREAMS).map((one) => `"${one}/…"`);
  const hint = others.length > 0 ? `models of other upstreams are named ${others.join(", ")}` : undefined;
  if (client === LOCAL) {
    return new ApiError(
      "authentication_error",
      `Cannot use upstream "${name}": neither the request nor the gateway has a key for it (${
        hint ?? 'model "demo/echo" needs none'
      })`,
    );
  }
  const why = "the gateway has no key for it, and does not forward client keys" + (hint ? ` (${hint})` : "");
  return new ApiError("api_error", `Cannot use upstream "${name}": ${why}`, { retryable: false });
}

const MAX_NAMED_UPSTREAMS = 5;
