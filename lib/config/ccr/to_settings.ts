import { isObject, type JsonObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import type { Alias, Target } from "../aliases.ts";
import type { Settings } from "../settings.ts";
import type { CcrConfig } from "./parse_ccr.ts";
import { OPENROUTER, toUpstreams, type Upstreams } from "./providers.ts";
import { readTransformers } from "./transformers.ts";

/** Settings for the gateway, and one line for each part of the configuration that they do not have. */
export interface Converted {
  settings: Settings;
  notes: readonly string[];
}

/**
 * Converts a configuration of claude-code-router to settings: providers to upstreams, `Router` to `big`, `small` and
 * aliases. What has no equal here is listed by name, never by value.
 *
 * @example Usage
 * ```ts
 * import { parseCcr } from "./parse_ccr.ts";
 * import { toSettings } from "./to_settings.ts";
 *
 * const { config } = parseCcr('{ "PORT": 3456, "PROXY_URL": "http://127.0.0.1:7890" }', "config.json");
 * const { settings, notes } = toSettings(config!);
 * if (settings.PORT !== 3456 || !notes[0]?.startsWith("PROXY_URL")) throw new Error("not converted");
 * ```
 */
export function toSettings(config: CcrConfig): Converted {
  const { Providers, Router, ...rest } = config;
  const upstreams = toUpstreams(Providers);
  const routes = toRoutes({ Providers, Router, fallback: rest.fallback }, upstreams);
  const general = toGeneral(rest);
  const { openrouter, named } = upstreams;
  return {
    settings: {
      ...general.settings,
      ...(openrouter !== undefined && openrouter.key !== "" && { OPENROUTER_API_KEY: openrouter.key }),
      ...(openrouter !== undefined && openrouter.url !== DEFAULT_URL &&
        { OPENROUTER_BASE_URL: openrouter.url }),
      ...(named.size > 0 && { UPSTREAMS: Object.fromEntries(named) }),
      ...routes.settings,
    },
    notes: [...general.notes, ...upstreams.notes, ...routes.notes],
  };
}

const DEFAULT_URL = "https://openrouter.ai/api/v1";

/** Port of claude-code-router, where its clients expect it. */
const DEFAULT_PORT = 3456;

const LEVELS: ReadonlyMap<string, string> = new Map([
  ["fatal", "error"],
  ["error", "error"],
  ["warn", "warn"],
  ["info", "info"],
  ["debug", "debug"],
  ["trace", "debug"],
]);

/** What the gateway does, or has otherwise, by the names of claude-code-router's settings. */
const DROPPED: ReadonlyMap<string, string> = new Map([
  ["PROXY_URL", "the gateway connects to upstreams without a proxy"],
  ["CUSTOM_ROUTER_PATH", "a hook can choose the model, see docs/examples/hooks_routing.ts"],
  ["transformers", "the gateway loads no plugins; a hook can change requests and answers"],
  ["StatusLine", "see docs/examples/statusline.sh"],
  ["NON_INTERACTIVE_MODE", "it is not needed"],
  ["HOT_RELOAD", "the file is always read again when it changes"],
  ["forceUseImageAgent", "the gateway has no image agent; images go to the model that is asked"],
]);

function toGeneral(
  { APIKEY, HOST, PORT, API_TIMEOUT_MS, LOG, LOG_LEVEL, fallback: _, ...others }: JsonObject,
): Converted {
  const hasKey = typeof APIKEY === "string" && APIKEY.trim() !== "";
  const timeoutMs = Number(API_TIMEOUT_MS);
  const level = LOG === false ? "off" : LEVELS.get(String(LOG_LEVEL).toLowerCase());
  const isOpenHost = typeof HOST === "string" && HOST.trim() !== "" && HOST !== "127.0.0.1";
  const port = Number(PORT);
  return {
    settings: {
      PORT: Number.isInteger(port) && port > 0 ? port : DEFAULT_PORT,
      HOST: hasKey && isOpenHost ? HOST.trim() : "127.0.0.1",
      ...(hasKey && { GATEWAY_API_KEYS: [`ccr:${APIKEY.trim()}`] }),
      ...(timeoutMs > 0 && { REQUEST_TIMEOUT: timeoutMs / 1000 }),
      ...(level !== undefined && { LOG_LEVEL: level }),
    },
    notes: [
      ...(isOpenHost && !hasKey ? ["HOST: without APIKEY, only this machine can connect"] : []),
      ...Object.keys(others).map((name) =>
        `${name}: ${DROPPED.get(name) ?? "the gateway has no such setting"}`
      ),
    ],
  };
}

/** Returns the models of `Router`: the default and the background model are `big` and `small`, the others aliases. */
function toRoutes(
  { Providers, Router, fallback }: Pick<CcrConfig, "Providers" | "Router"> & { fallback: unknown },
  { names, named }: Upstreams,
): Converted {
  const notes = new Set<string>();
  const aliases = new Map<string, Alias>();
  const models: Partial<Record<ModelSetting, string>> = {};

  function toTarget(route: string, where: string): Target | undefined {
    const [providerName = "", ...rest] = route.split(",").map((word) => word.trim());
    const model = rest.join(",");
    const provider = Providers.find(({ name }) => name === providerName);
    const upstream = names.get(providerName);
    if (provider === undefined || upstream === undefined || model === "") {
      notes.add(`${where}: ${quote(route)} is no model of a provider that is carried over`);
      return undefined;
    }
    const [general, own] = [readTransformers(provider), readTransformers(provider, model)];
    for (const note of own.notes) notes.add(note);
    const options = { ...general.options, ...own.options };
    return {
      model,
      upstream,
      ...(Object.keys(options).length > 0 && { options }),
      ...((!general.cacheControl || !own.cacheControl) && { cache_control: false }),
    };
  }

  for (const [kind, value] of Object.entries(Router)) {
    const where = `Router.${kind}`;
    if (kind === "longContextThreshold" || kind === "fallback") continue;
    const target = typeof value === "string" && value !== "" ? toTarget(value, where) : undefined;
    if (target === undefined) {
      if (typeof value !== "string") notes.add(`${where}: the gateway has no such setting`);
      continue;
    }
    const fallbacks = fallbacksOf(kind, Router.fallback, fallback).flatMap((route) =>
      toTarget(route, `fallback of ${where}`) ?? []
    );
    const alias = { ...target, ...(fallbacks.length > 0 && { fallbacks }) };
    const name = ALIASES.get(kind);
    if (name === undefined) {
      aliases.set(kind, alias);
      notes.add(`${where} is the alias "${kind}": a client asks for it by this name, such as /model ${kind}`);
      continue;
    }
    models[name.setting] = toModelName(target, named);
    // Only an alias can have options and fallbacks.
    if (Object.keys(alias).length > 2) aliases.set(name.alias, alias);
  }
  if (Object.hasOwn(Router, "longContextThreshold") && aliases.has("longContext")) {
    notes.add("Router.longContextThreshold: the gateway does not choose a model by the length of a request");
  }
  const MODEL_MAP = Object.fromEntries(aliases);
  return { settings: { ...models, ...(aliases.size > 0 && { MODEL_MAP }) }, notes: [...notes] };
}

type ModelSetting = "ANTHROPIC_MODEL" | "ANTHROPIC_SMALL_FAST_MODEL";

const ALIASES: ReadonlyMap<string, { setting: ModelSetting; alias: string }> = new Map([
  ["default", { setting: "ANTHROPIC_MODEL", alias: "big" }],
  ["background", { setting: "ANTHROPIC_SMALL_FAST_MODEL", alias: "small" }],
]);

/** Returns the fallbacks of a kind: of `fallback.<kind>`, a list, or of `Router.fallback`, the one of the default. */
function fallbacksOf(kind: string, single: unknown, byKind: unknown): string[] {
  const list = isObject(byKind) && Object.hasOwn(byKind, kind) ? byKind[kind] : undefined;
  const routes: unknown[] = Array.isArray(list) ? list : kind === "default" ? [single] : [];
  return routes.filter((route) => typeof route === "string");
}

/** Returns the name by which clients request a model. */
function toModelName({ model, upstream = OPENROUTER }: Target, named: Upstreams["named"]): string {
  if (upstream !== OPENROUTER) return `${upstream}/${model}`;
  const [author = ""] = model.split("/");
  return named.has(author) ? `${OPENROUTER}/${model}` : model;
}
