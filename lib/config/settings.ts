import type * as v from "valibot";
import { ACCESS_SETTINGS } from "./settings/access_settings.ts";
import { DATA_SETTINGS } from "./settings/data_settings.ts";
import { LOG_SETTINGS } from "./settings/log_settings.ts";
import { limitMap, type Limits, type LimitsInput } from "./limits.ts";
import { DIALECT_CHOICES, type DialectChoice } from "./presets.ts";
import { MCP_SETTINGS } from "./settings/mcp_settings.ts";
import { TIMEOUT_SETTINGS } from "./settings/timeout_settings.ts";
import { TOOL_SETTINGS } from "./settings/tool_settings.ts";
import { type NamedUpstream, upstreamMap, type UpstreamsInput } from "./upstreams.ts";
import { baseUrl, integer, oneOf, onOff, type Schema, storeUrl, text } from "./schemas.ts";
import { type Alias, modelMap } from "./aliases.ts";

/** Definition of one setting; `default` is text, as an operator would write it. */
type Setting = {
  flag: string;
  schema: () => v.GenericSchema;
  default?: string;
  text: string;
  secret?: boolean;
  /** True if access is open without it. An empty value is then a mistake, not an unset setting. */
  guards?: boolean;
  /** True if a running gateway applies a change of it to new requests. Otherwise a change needs a restart. */
  reload?: boolean;
};

// Each schema is in a function, because types are inferred from the annotated result of a function in `as const`.
const TABLE = {
  PORT: {
    flag: "--port",
    schema: (): Schema<string | number, number> => integer(0, 65535),
    default: "4000",
    text: "Port to listen on; 0 selects any free port",
  },
  HOST: {
    flag: "--host",
    schema: (): Schema<string, string> => text("a host name or an address"),
    default: "127.0.0.1",
    text: "Address to listen on; 0.0.0.0 is every IPv4 address of this machine",
  },
  ...ACCESS_SETTINGS,
  OPENROUTER_API_KEY: {
    flag: "--api-key",
    reload: true,
    schema: (): Schema<string, string> =>
      text("a key of printable ASCII characters without spaces", /^[!-~]+$/),
    secret: true,
    text: "Key for OpenRouter; unset: the client's own key is used, unless `GATEWAY_API_KEYS` is set",
  },
  OPENROUTER_BASE_URL: {
    flag: "--upstream",
    reload: true,
    schema: (): Schema<string, string> => baseUrl(),
    default: "https://openrouter.ai/api/v1",
    text: "Base URL of OpenRouter, including /v1",
  },
  UPSTREAMS: {
    flag: "--upstreams",
    reload: true,
    schema: (): Schema<UpstreamsInput, ReadonlyMap<string, NamedUpstream>> => upstreamMap(),
    default: "{}",
    secret: true,
    text:
      'Additional upstreams, as JSON: `{"name": {"url", "key", "preset", "dialect", "headers", "api_version"}}`',
  },
  ANTHROPIC_MODEL: {
    flag: "--model",
    reload: true,
    schema: (): Schema<string, string> => text("a model's name"),
    default: "anthropic/claude-opus-5.5",
    text: "Model of the alias `big`",
  },
  ANTHROPIC_SMALL_FAST_MODEL: {
    flag: "--small-model",
    reload: true,
    schema: (): Schema<string, string> => text("a model's name"),
    default: "anthropic/claude-haiku-5.5",
    text: "Model of the alias `small`",
  },
  AUTO_MODE_MODEL: {
    flag: "--auto-mode-model",
    reload: true,
    schema: (): Schema<string, string> => text("a model's name"),
    text:
      "Model that judges each tool call for Claude Code's auto mode where the upstream does not; unset: the client decides",
  },
  MODEL_MAP: {
    flag: "--model-map",
    reload: true,
    schema: (): Schema<string | Readonly<Record<string, string | Alias>>, ReadonlyMap<string, Alias>> =>
      modelMap(),
    default: "{}",
    text:
      'Additional aliases, as JSON: `{"alias": "model"}` or `{"alias": {"model", "upstream", "options", "cache_control", "fallbacks"}}`',
  },
  UPSTREAM_DIALECT: {
    flag: "--dialect",
    reload: true,
    schema: (): Schema<string, DialectChoice> => oneOf(DIALECT_CHOICES),
    default: "auto",
    text: "API used with OpenRouter: auto (by model), openai (chat completions), responses or anthropic",
  },
  VALIDATION: {
    flag: "--validation",
    reload: true,
    schema: (): Schema<string, "lenient" | "strict"> => oneOf(["lenient", "strict"]),
    default: "lenient",
    text: "`lenient` reports what an upstream cannot accept; `strict` rejects the request",
  },
  ...TIMEOUT_SETTINGS,
  COERCE_TOOL_INPUT: {
    flag: "--coerce-tool-input",
    reload: true,
    schema: (): Schema<string | boolean, "on" | "off"> => onOff(),
    default: "on",
    text: "Conversion of tool arguments of the wrong type to the type in the tool's schema: on or off",
  },
  TOOL_CALLS_IN_TEXT: {
    flag: "--tool-calls-in-text",
    reload: true,
    schema: (): Schema<string, "auto" | "on" | "off"> => oneOf(["auto", "on", "off"]),
    default: "auto",
    text:
      "Parsing of tool calls that a model writes as text: auto (local models), on (all models but Claude) or off",
  },
  STRUCTURED_MAX_RETRIES: {
    flag: "--structured-max-retries",
    reload: true,
    schema: (): Schema<string | number, number> => integer(0, 10),
    default: "3",
    text: "Further attempts if an answer is not valid under the client's schema: 0 to 10",
  },
  STRUCTURED_STREAM: {
    flag: "--structured-stream",
    reload: true,
    schema: (): Schema<string, "hold" | "live"> => oneOf(["hold", "live"]),
    default: "hold",
    text:
      "Streaming of an answer with a schema: hold (once it is valid) or live (checked at its end, without retries)",
  },
  LIMITS: {
    flag: "--limits",
    reload: true,
    schema: (): Schema<LimitsInput, Limits> => limitMap(),
    default: '{"each": {"concurrent": 1000}}',
    text: 'Limits by scope, as JSON: `{"each", "total", "session", "keys"}`; see docs/limits.md',
  },
  BODY_MEMORY: {
    flag: "--body-memory",
    schema: (): Schema<string | number, number> => integer(64, 65536),
    default: "256",
    text: "Maximum MiB of the bodies of all open requests; each key may use half of it",
  },
  RATE_LIMIT_STORE: {
    flag: "--rate-limit-store",
    schema: (): Schema<string, string> => storeUrl("memory"),
    default: "memory",
    secret: true,
    text: "Store for usage counters: memory, or a redis:// or rediss:// URL to share them among gateways",
  },
  STATE_DIR: {
    flag: "--state-dir",
    schema: (): Schema<string, string> => text("the path of a folder"),
    text:
      "Folder that keeps cost and the ledger across restarts, and keys with `KEY_STORE`, for one gateway only; unset: memory",
  },
  ...DATA_SETTINGS,
  ...TOOL_SETTINGS,
  ...MCP_SETTINGS,
  ...LOG_SETTINGS,
  ENVIRONMENT: {
    flag: "--environment",
    reload: true,
    schema: (): Schema<string, "development" | "production" | "testing"> =>
      oneOf(["development", "production", "testing"]),
    default: "production",
    text: "Kind of deployment, reported by `GET /status`: development, production or testing",
  },
} as const;

/** @internal */
type Table = typeof TABLE;
/**
 * Name of a setting, which is also its environment variable.
 *
 * @internal
 */
export type SettingName = keyof Table;
type Camel<Name extends string> = Name extends `${infer Head}_${infer Tail}`
  ? `${Lowercase<Head>}${Capitalize<Camel<Tail>>}`
  : Lowercase<Name>;
type Value<Name extends SettingName> = v.InferOutput<ReturnType<Table[Name]["schema"]>>;
type SettingWithDefault = {
  [Name in SettingName]: Table[Name] extends { default: string } ? Name : never;
}[SettingName];

/** @internal */
type SettingInput<Name extends SettingName> = v.InferInput<ReturnType<Table[Name]["schema"]>>;

/** Settings by name: text, as in the environment, or values of the right type. */
export type Settings = { readonly [Name in SettingName]?: SettingInput<Name> };

/** Parsed settings. All are valid; those with a default are always present. */
export type Config =
  & { readonly [Name in SettingWithDefault as Camel<Name>]: Value<Name> }
  & { readonly [Name in Exclude<SettingName, SettingWithDefault> as Camel<Name>]?: Value<Name> };

/** Every setting by name. To add a setting, add an entry to the table above. */
export const SETTINGS: Readonly<Record<SettingName, Setting>> = TABLE;

/** Names of all settings, in the order of the table. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(TABLE).filter(isSettingName);

/** Names of the settings whose empty value is a mistake. */
export const GUARD_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter((name) => SETTINGS[name].guards);

/** Names of the settings that hold keys; their values can also be in a file, which `NAME_FILE` names. */
export const SECRET_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter((name) => SETTINGS[name].secret);

/** Returns true if a setting has this name. */
export function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(TABLE, name);
}
