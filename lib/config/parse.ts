import * as v from "valibot";
import { ADMIN, isSameKey, LOCAL } from "./gateway_keys.ts";
import { quote } from "../base/redact.ts";
import { type Config, SETTING_NAMES, type SettingName, SETTINGS, type Settings } from "./settings.ts";
import { BUILT_IN_UPSTREAMS } from "./upstreams.ts";

/** Where settings may come from: flags go before `settings`, `settings` before `env`, `env` before defaults. */
export type Sources = {
  flags?: { values: Partial<Record<SettingName, string>>; mistakes: readonly string[] };
  settings?: Settings;
  env?: Partial<Record<SettingName, string>>;
};

/** What one setting came to, and where that was found: a value, or what is wrong with it. */
export type SettingResult = {
  name: SettingName;
  origin: string;
  value?: unknown;
  mistakes: readonly string[];
};

/** Thrown for settings that cannot be used; `mistakes` has one line for each. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
    this.mistakes = mistakes;
  }
}

/**
 * Reads the settings from all their sources. An empty variable of the environment counts as not set, unless it guards.
 *
 * @throws {ConfigError} with every mistake, not only the first.
 *
 * @example Usage
 * ```ts
 * import { parseConfig } from "./parse.ts";
 *
 * parseConfig({ settings: { PORT: "8080" } }).port; // 8080
 * ```
 */
export function parseConfig(sources: Sources): Config {
  const results = resolveSettings(sources);
  const valid = results.filter(({ value }) => value !== undefined);
  // The parse boundary: each value was found valid, and stands under the key that Config has for it. Where one is
  // missing that has a default, there is a mistake.
  const config = Object.fromEntries(valid.map(({ name, value }) => [toConfigKey(name), value])) as Config;
  const mistakes = [
    ...sources.flags?.mistakes ?? [],
    ...results.flatMap((result) => result.mistakes),
    ...checkAdminKey(config),
    ...checkAliasUpstreams(config),
    // Who has keys is not known while they cannot be read.
    ...(results.some(({ name, mistakes }) => /^GATEWAY_/.test(name) && mistakes.length > 0)
      ? []
      : [...checkLimitKeys(config), ...checkToolsNeedKeys(config)]),
    ...checkToolRequirements(config),
  ];
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

/** An admin key that clients have too. */
function checkAdminKey({ gatewayAdminKey: admin, gatewayApiKeys = [] }: Partial<Config>): string[] {
  const shared = admin !== undefined && gatewayApiKeys.some((client) => isSameKey(client, admin));
  return shared ? ["Cannot use GATEWAY_ADMIN_KEY: it is one of GATEWAY_API_KEYS too"] : [];
}

/** The aliases that lead nowhere: what one setting says is judged by another, so both have to be valid. */
function checkAliasUpstreams({ modelMap, upstreams }: Partial<Config>): string[] {
  if (modelMap === undefined || upstreams === undefined) return [];
  const upstreamNames = new Set([...BUILT_IN_UPSTREAMS, ...upstreams.keys()]);
  return [...modelMap].flatMap(([alias, { upstream, fallbacks = [] }]) => {
    const named = [
      upstream,
      ...fallbacks.map((target) => typeof target === "string" ? undefined : target.upstream),
    ];
    return named.filter((name) => name !== undefined && !upstreamNames.has(name)).map((name = "") =>
      `Cannot use MODEL_MAP: alias ${quote(alias)} names upstream ${
        quote(name)
      }, which UPSTREAMS does not have`
    );
  });
}

/** The limits of keys that nobody has: they would hold for no one. */
function checkLimitKeys({ limits, gatewayApiKeys = [], gatewayAdminKey }: Partial<Config>): string[] {
  if (limits === undefined) return [];
  const clients = gatewayApiKeys.length === 0 ? [LOCAL] : gatewayApiKeys.map(({ name }) => name);
  const clientNames = new Set([...clients, ...(gatewayAdminKey === undefined ? [] : [ADMIN])]);
  return [...limits.keys.keys()].filter((name) => !clientNames.has(name)).map((name) =>
    `Cannot use LIMITS: nobody has a key that is called ${quote(name)}; there is ${
      [...clientNames].map(quote).join(", ")
    }`
  );
}

/** Tools that anybody could have run. */
function checkToolsNeedKeys({ tools, gatewayApiKeys }: Partial<Config>): string[] {
  return tools === undefined || gatewayApiKeys !== undefined
    ? []
    : ["Cannot use TOOLS: GATEWAY_API_KEYS has no key, so that anybody could have them run"];
}

/** Tools that have nowhere to work, or nobody to ask. */
function checkToolRequirements({ tools, workspaceRoot, webSearch, webSearchUrl }: Partial<Config>): string[] {
  if (tools === undefined) return [];
  return [
    ...(workspaceRoot === undefined ? ["WORKSPACE_ROOT names no folder for them to work in"] : []),
    ...(webSearch === "searxng" && webSearchUrl === undefined
      ? ["WEB_SEARCH_URL does not say where SearXNG is"]
      : []),
  ].map((why) => `Cannot use TOOLS: ${why}`);
}

/** Looks up and judges every setting, in the order of the table. */
export function resolveSettings(sources: Sources): SettingResult[] {
  return SETTING_NAMES.map((name) => {
    const [raw, origin] = lookUp(name, sources);
    if (raw === undefined) return { name, origin, mistakes: [] };
    const result = v.safeParse(SETTINGS[name].schema(), raw);
    if (result.success) return { name, origin, value: result.output, mistakes: [] };
    const subject = `Cannot use ${name} ${displayValue(name, raw)} (${origin})`;
    return { name, origin, mistakes: result.issues.map((issue) => `${subject}: ${issue.message}`) };
  });
}

function lookUp(name: SettingName, { flags, settings, env }: Sources): [raw: unknown, origin: string] {
  const { flag, default: fallback } = SETTINGS[name];
  if (flags?.values[name] !== undefined) return [flags.values[name], flag];
  if (settings?.[name] !== undefined) return [settings[name], "settings"];
  if (env?.[name] || (env?.[name] === "" && SETTINGS[name].guards)) return [env[name], "environment"];
  return [fallback, "default"];
}

function displayValue(name: SettingName, raw: unknown): string {
  const text = typeof raw === "object" ? JSON.stringify(raw) : String(raw);
  return SETTINGS[name].secret ? `(${text.length} characters)` : quote(text);
}

/** OPENROUTER_API_KEY -> openrouterApiKey */
function toConfigKey(name: SettingName): string {
  return name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase());
}
