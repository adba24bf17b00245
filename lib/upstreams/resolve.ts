import { closestMatch } from "leven";
import { dialectFor, hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import { fnv } from "../base/hash/fnv.ts";
import { NameCache } from "../base/name_cache.ts";
import { type Target, toTargetGroups } from "../config/aliases.ts";
import { toRouteLabel } from "./route_label.ts";
import type { Directory, Route, RouteTarget, Upstream } from "./upstream.ts";

/**
 * Resolves a model's name to its first target. A name is an alias, an id of Claude Code, `upstream/model`, or a model
 * of the first upstream.
 *
 * @example Usage
 * ```ts
 * import { resolveModel } from "./resolve.ts";
 *
 * const openrouter = { name: "openrouter", baseUrl: "https://openrouter.ai/api/v1" };
 * const directory = {
 *   upstreams: new Map([["openrouter", { ...openrouter, preset: "openrouter", dialectChoice: "auto" } as const]]),
 *   aliases: new Map([["big", { model: "claude-opus-5-5" }]]),
 * };
 * const route = resolveModel("big", directory);
 * if (route.model !== "anthropic/claude-opus-5.5") throw new Error(route.model);
 * ```
 */
export function resolveModel(alias: string, directory: Directory): Omit<Route, "facts"> {
  const [target, ...fallbacks] = resolveGroups(alias, directory).flat();
  if (target === undefined) throw noUpstreamError(alias);
  return { ...target, fallbacks };
}

/**
 * Resolves a model's name to its targets. Those of a group share the requests; the next group is asked if no target of
 * the earlier ones answers.
 */
export function resolveGroups(
  alias: string,
  directory: Directory,
): readonly (readonly RouteTarget[])[] {
  const known = resolved.get(directory) ?? new NameCache(MAX_RESOLVED);
  resolved.set(directory, known);
  return known.get(alias, () => findGroups(alias, directory));
}

const MAX_RESOLVED = 500;
/** Targets by the names that were resolved. A directory and its targets do not change. */
const resolved = new WeakMap<Directory, NameCache<readonly (readonly RouteTarget[])[]>>();

function findGroups(alias: string, directory: Directory): RouteTarget[][] {
  const { aliases } = directory;
  const entry = aliases.get(alias) ?? aliases.get(fromClaudeName(alias)) ?? { model: alias };
  const groups = toTargetGroups(entry);
  const hasAlternatives = groups.flat().length > 1;
  return groups.map((group) =>
    group.map((target) => ({ ...resolveTarget(alias, target, directory), hasAlternatives }))
  );
}

/** Returns the names that a route has in settings: its alias, and its model as clients would request it. */
export function routeNames(
  { alias, ...target }: Pick<Route, "alias" | "model" | "upstream">,
  directory: Directory,
): string[] {
  const names = [alias, fromClaudeName(alias)].filter((name) => directory.aliases.has(name));
  return [...names, modelName(target, directory)];
}

/** Returns a model's name as clients would request it: with the name of its upstream, unless that is the first. */
export function modelName(
  { model, upstream }: Pick<Route, "model" | "upstream">,
  { upstreams }: Directory,
): string {
  const [first] = upstreams.values();
  return upstream.name === first?.name ? model : `${upstream.name}/${model}`;
}

/** Resolves a target of an alias, its model or a fallback. */
export function resolveTarget(
  alias: string,
  { model: name, upstream: upstreamName, options = {}, cache_control: cacheControl = true, weight = 1 }:
    Target,
  { upstreams }: Directory,
): Omit<RouteTarget, "hasAlternatives"> {
  const [first] = upstreams.values();
  const [, prefix = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  // `openrouter/auto` is a model of OpenRouter. The first upstream's name is a prefix only before `author/model`.
  const prefixed = upstreamName === undefined && (prefix !== first?.name || rest.includes("/"));
  const other = prefixed ? upstreams.get(prefix) : undefined;
  const upstream = other ?? upstreams.get(upstreamName ?? "") ?? first;
  if (upstream === undefined) throw noUpstreamError(alias);
  const model = toUpstreamModel(other === undefined ? name : rest, upstream);
  const dialect = dialectFor(upstream.preset, upstream.dialectChoice, model);
  const hash = Object.keys(options).length === 0 ? "" : `#${fnv(JSON.stringify(options)).toString(16)}`;
  const key = `${toRouteLabel({ upstream, model })}${hash}`;
  return { key, weight, alias, model, upstream, dialect, options, cacheControl };
}

/** Returns the error for a model without an upstream. */
export function noUpstreamError(alias: string): ApiError {
  return new ApiError("not_found_error", `Cannot use model "${alias}": no upstream is configured`);
}

/** Converts a model's name to the upstream's. OpenRouter and Anthropic format Claude versions differently. */
function toUpstreamModel(name: string, { preset }: Upstream): string {
  switch (hostFacts(preset).modelNames) {
    case "openrouter":
      return toSlug(name);
    case "anthropic":
      return name.replace(/^(claude-.*\d)\.(?=\d)/, "$1-");
    case "as given":
      return name;
  }
}

/** `claude-opus-5-5`, `claude-sonnet-4-5-20250929`, `claude-3-5-haiku-latest`, with or without `[1m]`. */
const NEW_CLAUDE = /^claude-([a-z]+)-(\d{1,2})(?:-(\d{1,2}))?(?:-\d{8}|-latest)?(?:\[\w+\])?$/;
const OLD_CLAUDE = /^claude-(\d)(?:-(\d))?-([a-z]+)(?:-\d{8}|-latest)?(?:\[\w+\])?$/;

/** Converts Anthropic's model id to OpenRouter's. Any other name is returned unchanged. */
export function toSlug(id: string): string {
  const [, family, major, minor] = NEW_CLAUDE.exec(id) ?? [];
  if (family !== undefined) {
    return `anthropic/claude-${family}-${minor === undefined ? major : `${major}.${minor}`}`;
  }
  const [, oldMajor, oldMinor, oldFamily] = OLD_CLAUDE.exec(id) ?? [];
  if (oldMajor === undefined) return id;
  return `anthropic/claude-${oldMinor === undefined ? oldMajor : `${oldMajor}.${oldMinor}`}-${oldFamily}`;
}

/** Returns a name that Claude Code lists for an alias. It lists only names that contain `claude` or `anthropic`. */
export function toClaudeName(alias: string): string {
  return /claude|anthropic/i.test(alias) ? alias : `${CLAUDE_PREFIX}${alias}`;
}

function fromClaudeName(name: string): string {
  return name.startsWith(CLAUDE_PREFIX) ? name.slice(CLAUDE_PREFIX.length) : name;
}

const CLAUDE_PREFIX = "claude-gw-";

/** Returns the error for an unknown model, with the nearest name. */
export function unknownModelError(
  { alias, model, upstream }: Pick<Route, "alias" | "model" | "upstream">,
  listedIds: readonly string[],
): ApiError {
  // The time of the search grows with the length of the name, which is not limited in a URL path.
  const shortName = model.slice(0, MAX_NAME_CHARS);
  const nearest = closestMatch(shortName, listedIds);
  const hint = nearest === undefined ? "" : `; the nearest is "${nearest}"`;
  const why = alias === model
    ? "no alias or upstream has it"
    : `upstream "${upstream.name}" does not list "${shortName}"`;
  return new ApiError(
    "not_found_error",
    `Cannot use model "${alias.slice(0, MAX_NAME_CHARS)}": ${why}${hint}`,
  );
}

/** Maximum characters of a model's name in Anthropic's API. */
const MAX_NAME_CHARS = 256;
