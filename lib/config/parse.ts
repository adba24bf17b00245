import * as v from "valibot";
import { toTargetGroups } from "./aliases.ts";
import { ADMIN, isSameKey, LOCAL, requiresKeys } from "./gateway_keys.ts";
import { OTHER_KEYS } from "./model_access.ts";
import type { ConfigFile } from "./sources/config_file.ts";
import { quote } from "../base/redact.ts";
import { type Config, SETTING_NAMES, type SettingName, SETTINGS, type Settings } from "./settings.ts";
import { BUILT_IN_UPSTREAMS } from "./upstreams.ts";

/**
 * Sources of settings. Flags override `settings`, `settings` override `env`, `env` overrides `file`, and that overrides
 * defaults.
 */
export interface Sources {
  flags?: { values: Partial<Record<SettingName, string>>; mistakes: readonly string[] };
  settings?: Settings;
  env?: Partial<Record<SettingName, string>>;
  /** Origins of values in `env` that are not variables themselves. */
  origins?: Partial<Record<SettingName, string>>;
  file?: ConfigFile;
  /** Mistakes that were found while the sources were read. */
  mistakes?: readonly string[];
}

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
  // Names of keys are unknown if the keys are invalid.
  const keysKnown = !results.some(({ name, mistakes }) => /^GATEWAY_/.test(name) && mistakes.length > 0);
  const mistakes = [
    ...sources.flags?.mistakes ?? [],
    ...sources.mistakes ?? [],
    ...sources.file?.mistakes ?? [],
    ...results.flatMap((result) => result.mistakes),
    ...checkRelations(config, { keysKnown, stdio }),
  ];
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return config;
}

/** Returns one line for each mistake in settings that are valid by themselves, but not together. */
export function checkRelations(
  config: Partial<Config>,
  { keysKnown = true, stdio = false } = {},
): string[] {
  return [
    ...checkAdminKey(config),
    ...checkKeyStore(config),
    ...checkAliasUpstreams(config),
    ...(keysKnown
      ? [
        ...checkKeyNames(config),
        ...(stdio ? [] : [...checkToolsNeedKeys(config), ...checkServersNeedKeys(config)]),
      ]
      : []),
    ...checkToolRequirements(config),
    ...checkLogRequirements(config),
    ...checkDataRequirements(config),
  ];
}

/** Rejects an admin key that is also a client key. */
function checkAdminKey({ gatewayAdminKey: admin, gatewayApiKeys = [] }: Partial<Config>): string[] {
  const shared = admin !== undefined && gatewayApiKeys.some((client) => isSameKey(client, admin));
  return shared ? ["Cannot use GATEWAY_ADMIN_KEY: it is also in GATEWAY_API_KEYS"] : [];
}

/** Rejects a key store without its folder, and sign-in without keys. */
function checkKeyStore(config: Partial<Config>): string[] {
  const { keyStore, stateDir, signIn } = config;
  return [
    ...(keyStore === "state_dir" && stateDir === undefined
      ? ["Cannot use KEY_STORE: STATE_DIR, the folder for the keys, is not set"]
      : []),
    ...(signIn === "on" && !requiresKeys(config)
      ? [
        "Cannot use SIGN_IN: neither GATEWAY_API_KEYS nor KEY_STORE is set, and there is no key to sign in with",
      ]
      : []),
  ];
}

/** Rejects aliases with an unknown upstream. Skipped if `MODEL_MAP` or `UPSTREAMS` is invalid. */
function checkAliasUpstreams({ modelMap, upstreams }: Partial<Config>): string[] {
  if (modelMap === undefined || upstreams === undefined) return [];
  const upstreamNames = new Set([...BUILT_IN_UPSTREAMS, ...upstreams.keys()]);
  return [...modelMap].flatMap(([alias, targets]) => {
    const named = toTargetGroups(targets).flat().map(({ upstream }) => upstream);
    return named.filter((name) => name !== undefined && !upstreamNames.has(name)).map((name = "") =>
      `Cannot use MODEL_MAP: alias ${quote(alias)} uses upstream ${quote(name)}, which is not in UPSTREAMS`
    );
  });
}

/** Rejects limits and models of unknown keys: they would never apply. */
function checkKeyNames(
  config: Partial<Config>,
): string[] {
  const { limits, modelAccess = new Map(), gatewayApiKeys = [], gatewayAdminKey } = config;
  const clients = requiresKeys(config) ? gatewayApiKeys.map(({ name }) => name) : [LOCAL];
  const clientNames = new Set([...clients, ...(gatewayAdminKey === undefined ? [] : [ADMIN])]);
  const named = [
    ...[...limits?.keys.keys() ?? []].map((name) => ["LIMITS", name] as const),
    ...[...modelAccess.keys()].filter((name) => name !== OTHER_KEYS).map((name) =>
      ["MODEL_ACCESS", name] as const
    ),
  ];
  const known = clientNames.size === 0
    ? "the settings have no keys"
    : `the names are ${[...clientNames].map(quote).join(", ")}`;
  return named.filter(([, name]) => !clientNames.has(name)).map(([setting, name]) =>
    `Cannot use ${setting}: no key is named ${quote(name)}; ${known}`
  );
}

/** Rejects tools without client keys: any client could run them. */
function checkToolsNeedKeys(config: Partial<Config>): string[] {
  return config.tools === undefined || requiresKeys(config)
    ? []
    : ["Cannot use TOOLS: GATEWAY_API_KEYS is not set, and any client could run them"];
}

/** Rejects MCP servers that any client on any machine could use. */
function checkServersNeedKeys(config: Partial<Config>): string[] {
  return config.mcpConfig === undefined || requiresKeys(config) || config.openAccess !== "on" ? [] : [
    "Cannot use MCP_CONFIG: GATEWAY_API_KEYS is not set and OPEN_ACCESS is on, so any client could use the servers",
  ];
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

/** Rejects two stores at once, and an engine without a store or without the keys that it signs with. */
function checkDataRequirements(
  { dataDir, dataUrl, restateIngressUrl, restateIdentityKeys }: Partial<Config>,
): string[] {
  const hasRestate = restateIngressUrl !== undefined;
  return [
    ...(dataDir !== undefined && dataUrl !== undefined ? ["Cannot use DATA_URL: DATA_DIR is set, too"] : []),
    ...(hasRestate && dataDir === undefined && dataUrl === undefined
      ? ["Cannot use RESTATE_INGRESS_URL: DATA_URL or DATA_DIR is not set, which the gateways share"]
      : []),
    ...(hasRestate && restateIdentityKeys === undefined
      ? ["Cannot use RESTATE_INGRESS_URL: RESTATE_IDENTITY_KEYS is not set, and anybody could send work"]
      : []),
  ];
}

/** Reads and validates every setting, in the order of the table. */
export function resolveSettings(sources: Sources): SettingResult[] {
  return SETTING_NAMES.map((name) => {
    const { raw, originOf } = lookUp(name, sources);
    const origin = originOf([]);
    if (raw === undefined) return { name, origin, mistakes: [] };
    const result = v.safeParse(schemaOf(name), raw);
    if (result.success) return { name, origin, value: result.output, mistakes: [] };
    const mistakes = result.issues.map(({ path = [], message }) => {
      const keys = path.map(({ key }) => typeof key === "number" ? key : String(key));
      return `Cannot use ${name} ${displayValue(name, raw)} (${originOf(keys)}): ${message}`;
    });
    return { name, origin, mistakes };
  });
}

const schemas = new Map<SettingName, ReturnType<(typeof SETTINGS)[SettingName]["schema"]>>();

/** Returns the schema of a setting, which is built when the setting is first read. */
function schemaOf(name: SettingName): ReturnType<(typeof SETTINGS)[SettingName]["schema"]> {
  const schema = schemas.get(name) ?? SETTINGS[name].schema();
  schemas.set(name, schema);
  return schema;
}

/** A value as given, and the origin of it or, with keys, of a part of it. */
type Given = { raw: unknown; originOf(keys: readonly (string | number)[]): string };

function lookUp(name: SettingName, { flags, settings, env, origins, file }: Sources): Given {
  const { flag, default: fallback, guards } = SETTINGS[name];
  if (flags?.values[name] !== undefined) return { raw: flags.values[name], originOf: () => flag };
  if (settings?.[name] !== undefined) return { raw: settings[name], originOf: () => "settings" };
  if (env?.[name] || (env?.[name] === "" && guards)) {
    return { raw: env[name], originOf: () => origins?.[name] ?? "environment" };
  }
  if (file !== undefined && Object.hasOwn(file.values, name)) {
    return { raw: file.values[name], originOf: (keys) => file.locate([name, ...keys]) };
  }
  return { raw: fallback, originOf: () => "default" };
}

/**
 * Returns the values in force before they are parsed, for `createGateway()`, which parses them. They have the types of
 * `Settings` once {@linkcode parseConfig} has accepted the same sources.
 */
export function toSettings(sources: Sources): Settings {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, lookUp(name, sources).raw]));
}

/** Returns the places that the values in force come from, by setting. */
export function toOrigins(sources: Sources): Partial<Record<SettingName, string>> {
  return Object.fromEntries(SETTING_NAMES.map((name) => [name, lookUp(name, sources).originOf([])]));
}

function displayValue(name: SettingName, raw: unknown): string {
  const text = typeof raw === "object" ? JSON.stringify(raw) : String(raw);
  return SETTINGS[name].secret ? `(${text.length} characters)` : quote(text);
}

/** Returns the key of a setting in `Config`: `OPENROUTER_API_KEY` is `openrouterApiKey`. */
export function toConfigKey(name: SettingName): string {
  return CONFIG_KEYS[name];
}

// As many keys as names.
const CONFIG_KEYS = Object.fromEntries(
  SETTING_NAMES.map((name) => [
    name,
    name.toLowerCase().replace(/_(.)/g, (_, letter: string) => letter.toUpperCase()),
  ]),
) as Record<SettingName, string>;
