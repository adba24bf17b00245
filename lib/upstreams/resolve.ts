import { closestMatch } from "leven";
import { dialectFor, hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { Target } from "../config/aliases.ts";
import type { Directory, Route, Upstream } from "./upstream.ts";

/**
 * Finds the way for a model's name: an alias, one of Claude Code's ids, `upstream/model`, or the first upstream's own
 * name for it.
 *
 * @example Usage
 * ```ts
 * import { resolveModel } from "./resolve.ts";
 *
 * const openrouter = { name: "openrouter", baseUrl: "https://openrouter.ai/api/v1" };
 * const directory = {
 *   upstreams: new Map([["openrouter", { ...openrouter, preset: "openrouter", language: "auto" } as const]]),
 *   aliases: new Map([["big", { model: "claude-opus-5-5" }]]),
 * };
 * const route = resolveModel("big", directory);
 * if (route.model !== "anthropic/claude-opus-5.5") throw new Error(route.model);
 * ```
 */
export function resolveModel(alias: string, directory: Directory): Omit<Route, "facts"> {
  const { aliases } = directory;
  const entry = aliases.get(alias) ?? aliases.get(fromClaudeName(alias)) ?? { model: alias };
  const { fallbacks = [], ...target } = entry;
  return { ...resolveTarget(alias, target, directory), fallbacks };
}

/** Finds the way to one of the models that an alias may mean. */
export function resolveTarget(
  alias: string,
  { model: name, upstream: upstreamName, options = {}, cache_control: cacheControl = true }: Target,
  { upstreams }: Directory,
): Omit<Route, "facts" | "fallbacks"> {
  const [first] = upstreams.values();
  const [, prefix = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  // `openrouter/auto` is a model of OpenRouter's, so the first upstream's name is a prefix only before a whole name.
  const prefixed = upstreamName === undefined && (prefix !== first?.name || rest.includes("/"));
  const other = prefixed ? upstreams.get(prefix) : undefined;
  const upstream = other ?? upstreams.get(upstreamName ?? "") ?? first;
  if (upstream === undefined) {
    throw new ApiError("not_found_error", `Cannot use model "${alias}": there is no upstream`);
  }
  const model = toUpstreamModel(other === undefined ? name : rest, upstream);
  const dialect = dialectFor(upstream.preset, upstream.dialectChoice, model);
  return { alias, model, upstream, dialect, options, cacheControl };
}

/** The name that an upstream has for a model: OpenRouter and Anthropic write Claude's versions differently. */
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

/** Gives OpenRouter's name for one of Anthropic's own model ids; any other name stays as it is. */
export function toSlug(id: string): string {
  const [, family, major, minor] = NEW_CLAUDE.exec(id) ?? [];
  if (family !== undefined) {
    return `anthropic/claude-${family}-${minor === undefined ? major : `${major}.${minor}`}`;
  }
  const [, oldMajor, oldMinor, oldFamily] = OLD_CLAUDE.exec(id) ?? [];
  if (oldMajor === undefined) return id;
  return `anthropic/claude-${oldMinor === undefined ? oldMajor : `${oldMajor}.${oldMinor}`}-${oldFamily}`;
}

/** Gives the name by which Claude Code can show an alias: it keeps only those with `claude` or `anthropic` in them. */
export function toClaudeName(alias: string): string {
  return /claude|anthropic/i.test(alias) ? alias : `${CLAUDE_PREFIX}${alias}`;
}

function fromClaudeName(name: string): string {
  return name.startsWith(CLAUDE_PREFIX) ? name.slice(CLAUDE_PREFIX.length) : name;
}

const CLAUDE_PREFIX = "claude-gw-";

/** The error for a model that nobody has; where its name means another one, it says which. */
export function unknownModelError(
  { alias, model, upstream }: Pick<Route, "alias" | "model" | "upstream">,
  listedIds: readonly string[],
): ApiError {
  // The search for the nearest takes time with the length of a name, which in a path nobody limits.
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

/** The longest name of a model, in characters: Anthropic's API takes no longer one. */
const MAX_NAME_CHARS = 256;
