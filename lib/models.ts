import { closestMatch } from "leven";
import type { Alias } from "./values.ts";
import { anthropic, type Dialect, type ModelFacts, openrouter } from "./dialects/mod.ts";
import { ApiError } from "./errors.ts";
import type { JsonObject } from "./json.ts";

/** Somebody the gateway can ask. */
export interface Upstream {
  name: string;
  /** The URL that the dialects' paths are put behind; without a slash at its end. */
  baseUrl: string;
  /** The gateway's own key; without one the client's is passed on. */
  key?: string | undefined;
  /** Whether it counts the tokens of a request itself, at `/messages/count_tokens`. */
  countsTokens?: boolean;
  /** How to reach it, where that is not the network. */
  fetch?: typeof fetch;
}

/** The way that a request takes. */
export interface Route {
  /** What is known of the model. */
  facts: ModelFacts;
  /** The model's name as the client said it. */
  alias: string;
  /** The model's name at the upstream. */
  model: string;
  upstream: Upstream;
  dialect: Dialect;
  options: JsonObject;
}

/** Everything that a model's name may mean. */
export interface Directory {
  /** By name; the first is asked where nothing else is said. */
  upstreams: ReadonlyMap<string, Upstream>;
  aliases: ReadonlyMap<string, Alias>;
  dialect: "auto" | "openai" | "anthropic";
}

/** The name of the embedded upstream. */
export const DEMO = "demo";

/**
 * Finds the way for a model's name: an alias, one of Claude Code's ids, or the upstream's own name for it.
 *
 * @example Usage
 * ```ts
 * import { resolveModel } from "./models.ts";
 *
 * const upstreams = new Map([["openrouter", { name: "openrouter", baseUrl: "https://openrouter.ai/api/v1" }]]);
 * const aliases = new Map([["big", { model: "claude-opus-5-5" }]]);
 * const route = resolveModel("big", { upstreams, aliases, dialect: "auto" });
 * if (route.model !== "anthropic/claude-opus-5.5") throw new Error(route.model);
 * ```
 */
export function resolveModel(
  alias: string,
  { upstreams, aliases, dialect }: Directory,
): Omit<Route, "facts"> {
  const meant = aliases.get(alias) ?? aliases.get(fromClaudeName(alias)) ?? { model: alias };
  const { model: name, upstream: via, options = {} } = meant;
  const [first] = upstreams.values();
  const [, prefix = "", rest = ""] = /^([^/]+)\/(.+)$/.exec(name) ?? [];
  // `openrouter/auto` is a model of OpenRouter's, so the first upstream's own name is no prefix.
  const other = via === undefined && prefix !== first?.name ? upstreams.get(prefix) : undefined;
  const upstream = other ?? upstreams.get(via ?? "") ?? first;
  if (upstream === undefined) {
    throw new ApiError("not_found_error", `Cannot use model "${alias}": there is no upstream`);
  }
  const model = toSlug(other === undefined ? name : rest);
  return { alias, model, upstream, dialect: toDialect(model, upstream, dialect), options };
}

function toDialect(model: string, { name }: Upstream, dialect: Directory["dialect"]): Dialect {
  if (name === DEMO) return openrouter;
  if (dialect !== "auto") return dialect === "openai" ? openrouter : anthropic;
  return /^~?anthropic\//.test(model) ? anthropic : openrouter;
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
  return /claude|anthropic/i.test(alias) ? alias : `${CLAUDE_NAME}${alias}`;
}

function fromClaudeName(name: string): string {
  return name.startsWith(CLAUDE_NAME) ? name.slice(CLAUDE_NAME.length) : name;
}

const CLAUDE_NAME = "claude-gw-";

/** The error for a model that nobody has. */
export function unknownModel(alias: string, model: string, known: readonly string[]): ApiError {
  // The search for the nearest takes time with the length of a name, which in a path nobody limits.
  const nearest = closestMatch(model.slice(0, MAX_NAME), known);
  const hint = nearest === undefined ? "" : `; the nearest is "${nearest}"`;
  const name = alias.slice(0, MAX_NAME);
  return new ApiError("not_found_error", `Cannot use model "${name}": no alias or upstream has it${hint}`);
}

/** The longest name of a model, in characters: Anthropic's API takes no longer one. */
const MAX_NAME = 256;
