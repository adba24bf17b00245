import * as v from "valibot";
import { ADMIN, isSameKey, LOCAL } from "./gateway_keys.ts";
import { quote } from "../base/redact.ts";
import { type Config, SETTING_NAMES, type SettingName, SETTINGS, type Settings } from "./settings.ts";
import { BUILT_IN_UPSTREAMS } from "./upstreams.ts";

/** Sources of settings. Flags override `settings`, `settings` override `env`, `env` overrides defaults. */
export type Sources = {
  flags?: { values: Partial<Record<SettingName, string>>; mistakes: readonly string[] };
  settings?: Settings;
  env?: Partial<Record<SettingName, string>>;
};

/** Result of reading one setting: its source, and its value or mistakes. */
export type SettingResult = {
  name: SettingName;
  origin: string;
  value?: unknown;
  mistakes: readonly string[];
};

/** Invalid settings; `mistakes` has one line for each. */
export class ConfigError extends Error {
  override name = "ConfigError";
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[]) {
    super(mistakes.join("\n"));
    this.mistakes = mistakes;
  }
}

/** Options of {@linkcode parseConfig}. */
export interface ParseOptions {
  /** True if the only client is the parent process, over stdio. Tools then need no client keys. Default: false. */
  stdio?: boolean;
}

/**
 * Parses the settings of all sources. An empty environment variable counts as unset, unless the setting has `guards`.
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
export function parseConfig(sources: Sources, { stdio = false }: ParseOptions = {}): Config {
  const results = resolveSettings(sources);
  const valid = results.filter(({ value }) => value !== undefined);
  // The parse boundary: each value is valid and has the key of `Config`. A setting with a default is missing only if
  // there is a mistake, and then this function throws.
  const config = Object.fromEntries(valid.map(({ name, value }) => [toConfigKey(name), value])) as Config;
  const mistakes = [
    ...sources.flags?.mistakes ?? [],
    ...results.flatMap((result) => result.mistakes),
    ...checkAdminKey(config),
    ...checkAliasUpstreams(config),
    // Names of keys are unknown if the keys are invalid.
    ...(results.some(({ name, mistakes }) => /^GATEWAY_/.test(name) && mistakes.length > 0)
      ? []
      : [...checkLimitKeys(config), ...(stdio ? [] : checkToolsNeedKeys(config))]),
    ...checkToolRequirements(config),
    ...checkLogRequirements(config),
  ];
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

/** Rejects an admin key that is also a client key. */
function checkAdminKey({ gatewayAdminKey: admin, gatewayApiKeys = [] }: Partial<Config>): string[] {
  const shared = admin !== undefined && gatewayApiKeys.some((client) => isSameKey(client, admin));
  return shared ? ["Cannot use GATEWAY_ADMIN_KEY: it is also in GATEWAY_API_KEYS"] : [];
}

/** Rejects aliases with an unknown upstream. Skipped if `MODEL_MAP` or `UPSTREAMS` is invalid. */
function checkAliasUpstreams({ modelMap, upstreams }: Partial<Config>): string[] {
  if (modelMap === undefined || upstreams === undefined) return [];
  const upstreamNames = new Set([...BUILT_IN_UPSTREAMS, ...upstreams.keys()]);
  return [...modelMap].flatMap(([alias, { upstream, fallbacks = [] }]) => {
    const named = [
      upstream,
      ...fallbacks.map((target) => typeof target === "string" ? undefined : target.upstream),
    ];
    return named.filter((name) => name !== undefined && !upstreamNames.has(name)).map((name = "") =>
      `Cannot use MODEL_MAP: alias ${quote(alias)} uses upstream ${quote(name)}, which is not in UPSTREAMS`
    );
  });
}

/** Rejects limits of unknown keys: they would never apply. */
function checkLimitKeys({ limits, gatewayApiKeys = [], gatewayAdminKey }: Partial<Config>): string[] {
  if (limits === undefined) return [];
  const clients = gatewayApiKeys.length === 0 ? [LOCAL] : gatewayApiKeys.map(({ name }) => name);
  const clientNames = new Set([...clients, ...(gatewayAdminKey === undefined ? [] : [ADMIN])]);
  return [...limits.keys.keys()].filter((name) => !clientNames.has(name)).map((name) =>
    `Cannot use LIMITS: no key is named ${quote(name)}; the names are ${
      [...clientNames].map(quote).join(", ")
    }`
  );
}

/** Rejects tools without client keys: any client could run them. */
function checkToolsNeedKeys({ tools, gatewayApiKeys }: Partial<Config>): string[] {
  return tools === undefined || gatewayApiKeys !== undefined
    ? []
    : ["Cannot use TOOLS: GATEWAY_API_KEYS is not set, and any client could run them"];
}

/** Rejects tools without the settings that they require. */
function checkToolRequirements({ tools, workspaceRoot, webSearch, webSearchUrl }: Partial<Config>): string[] {
  if (tools === undefined) return [];
  return [
    ...(workspaceRoot === undefined ? ["WORKSPACE_ROOT is not set"] : []),
    ...(webSearch === "searxng" && webSearchUrl === undefined
      ? ["WEB_SEARCH_URL is not set, and SearXNG has no default address"]
      : []),
  ].map((why) => `Cannot use TOOLS: ${why}`);
}

/** Rejects the logging of bodies without a folder for them. They are never written to the log itself. */
function checkLogRequirements({ logBodies, logDir }: Partial<Config>): string[] {
  return logBodies === "on" && logDir === undefined
    ? ["Cannot use LOG_BODIES: LOG_DIR, the folder for them, is not set"]
    : [];
}

/** Reads and validates every setting, in the order of the table. */
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
