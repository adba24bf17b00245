import type * as v from "valibot";
import { adminKey, type GatewayKey, gatewayKeys } from "./gateway_keys.ts";
import { limitMap, type Limits, type LimitsInput } from "./limits.ts";
import { TIMEOUT_SETTINGS } from "./timeout_settings.ts";
import { TOOL_SETTINGS } from "./tool_settings.ts";
import { type NamedUpstream, upstreamMap, type UpstreamsInput } from "./upstreams.ts";
import { baseUrl, hostName, integer, list, oneOf, origin, type Schema, storeUrl, text } from "./schemas.ts";
import { type Alias, modelMap } from "./aliases.ts";

/** What is known of one setting; `default` is written as a user would write it. */
type Setting = {
  flag: string;
  schema: () => v.GenericSchema;
  default?: string;
  text: string;
  secret?: boolean;
  /** Whether something stands open without it, so that an empty value is a mistake and not the lack of one. */
  guards?: boolean;
};

// The schemas stand behind arrows because only an annotated result can be read off a table of constants.
const TABLE = {
  PORT: {
    flag: "--port",
    schema: (): Schema<string | number, number> => integer(0, 65535),
    default: "4000",
    text: "Port to listen on; 0 takes any free one",
  },
  HOST: {
    flag: "--host",
    schema: (): Schema<string, string> => text("a host name or an address"),
    default: "127.0.0.1",
    text: "Address to listen on; 0.0.0.0 is every one of this machine",
  },
  GATEWAY_API_KEYS: {
    flag: "--gateway-keys",
    schema: (): Schema<string | readonly string[], readonly GatewayKey[]> => gatewayKeys(),
    secret: true,
    guards: true,
    text: "Keys that clients must show: `key`, `name:key` or `name:sha256:digest`, separated by commas",
  },
  GATEWAY_ADMIN_KEY: {
    flag: "--admin-key",
    schema: (): Schema<string, GatewayKey> => adminKey(),
    secret: true,
    guards: true,
    text:
      "The owner's key, `key` or `sha256:digest`: opens what a client's does, and what is the owner's alone",
  },
  OPEN_ACCESS: {
    flag: "--open-access",
    schema: (): Schema<string, "on" | "off"> => oneOf(["on", "off"]),
    default: "off",
    text: "Whether others than this machine may be served without keys: on or off",
  },
  ALLOWED_HOSTS: {
    flag: "--allowed-hosts",
    schema: (): Schema<string | readonly string[], readonly string[]> => list(hostName()),
    text:
      "Names, besides this machine's own, that clients may call it by; without it, off loopback, any will do",
  },
  CORS_ORIGINS: {
    flag: "--cors-origins",
    schema: (): Schema<string | readonly string[], readonly string[]> => list(origin()),
    text: "Origins whose web pages may ask, separated by commas; `*` is every one, without it CORS is off",
  },
  OPENROUTER_API_KEY: {
    flag: "--api-key",
    schema: (): Schema<string, string> => text("a key of printable characters without spaces", /^[!-~]+$/),
    secret: true,
    text: "Key for the upstream; without it the client's own key is passed on",
  },
  OPENROUTER_BASE_URL: {
    flag: "--upstream",
    schema: (): Schema<string, string> => baseUrl(),
    default: "https://openrouter.ai/api/v1",
    text: "The upstream, up to and including its /v1",
  },
  UPSTREAMS: {
    flag: "--upstreams",
    schema: (): Schema<UpstreamsInput, ReadonlyMap<string, NamedUpstream>> => upstreamMap(),
    default: "{}",
    secret: true,
    text:
      'More upstreams, as JSON: `{"name": {"url", "key", "preset", "dialect", "headers", "api_version"}}`',
  },
  ANTHROPIC_MODEL: {
    flag: "--model",
    schema: (): Schema<string, string> => text("a model's name"),
    default: "anthropic/claude-opus-5.5",
    text: "The model that the alias `big` means",
  },
  ANTHROPIC_SMALL_FAST_MODEL: {
    flag: "--small-model",
    schema: (): Schema<string, string> => text("a model's name"),
    default: "anthropic/claude-haiku-5.5",
    text: "The model that the alias `small` means",
  },
  MODEL_MAP: {
    flag: "--model-map",
    schema: (): Schema<string | Readonly<Record<string, string | Alias>>, ReadonlyMap<string, Alias>> =>
      modelMap(),
    default: "{}",
    text:
      'More aliases, as JSON: `{"alias": "model"}` or `{"alias": {"model", "upstream", "options", "cache_control", "fallbacks"}}`',
  },
  UPSTREAM_DIALECT: {
    flag: "--dialect",
    schema: (): Schema<string, "auto" | "openai" | "anthropic"> => oneOf(["auto", "openai", "anthropic"]),
    default: "auto",
    text: "How the upstream is spoken to: auto (by model), openai or anthropic",
  },
  VALIDATION: {
    flag: "--validation",
    schema: (): Schema<string, "lenient" | "strict"> => oneOf(["lenient", "strict"]),
    default: "lenient",
    text:
      "Whether a request of which the upstream cannot be told all is reported (lenient) or refused (strict)",
  },
  ...TIMEOUT_SETTINGS,
  COERCE_TOOL_INPUT: {
    flag: "--coerce-tool-input",
    schema: (): Schema<string, "on" | "off"> => oneOf(["on", "off"]),
    default: "on",
    text: "Whether tool arguments of the wrong type are put right by the tool's schema: on or off",
  },
  TOOL_CALLS_IN_TEXT: {
    flag: "--tool-calls-in-text",
    schema: (): Schema<string, "auto" | "on" | "off"> => oneOf(["auto", "on", "off"]),
    default: "auto",
    text:
      "Whether calls said in text are made: auto (a model on one's own machine), on (all but Claude) or off",
  },
  LIMITS: {
    flag: "--limits",
    schema: (): Schema<LimitsInput, Limits> => limitMap(),
    default: '{"each": {"concurrent": 50}}',
    text: 'Limits by whom they hold for, as JSON: `{"each", "total", "session", "keys"}`; see Limits',
  },
  RATE_LIMIT_STORE: {
    flag: "--rate-limit-store",
    schema: (): Schema<string, string> => storeUrl(),
    default: "memory",
    secret: true,
    text: "Where is kept what was used: memory, or redis://… or rediss://… for several gateways",
  },
  STATE_DIR: {
    flag: "--state-dir",
    schema: (): Schema<string, string> => text("the path of a folder"),
    text: "Folder of one gateway that keeps spend across restarts; without it there is memory only",
  },
  ...TOOL_SETTINGS,
  LOG_LEVEL: {
    flag: "--log-level",
    schema: (): Schema<string, "debug" | "info" | "warn" | "error" | "off"> =>
      oneOf(["debug", "info", "warn", "error", "off"]),
    default: "info",
    text: "Least weight of a log line: debug, info, warn, error or off",
  },
  ENVIRONMENT: {
    flag: "--environment",
    schema: (): Schema<string, "development" | "production" | "testing"> =>
      oneOf(["development", "production", "testing"]),
    default: "production",
    text: "What kind of deployment this is: development, production or testing",
  },
} as const;

/** @internal */
type Table = typeof TABLE;
/**
 * The name of a setting, as in the environment.
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

/** Settings as they may be given: text, as in the environment, or values of the right type. */
export type Settings = { readonly [Name in SettingName]?: SettingInput<Name> };

/** Settings as the gateway uses them: all valid, and all there that have a default. */
export type Config =
  & { readonly [Name in SettingWithDefault as Camel<Name>]: Value<Name> }
  & { readonly [Name in Exclude<SettingName, SettingWithDefault> as Camel<Name>]?: Value<Name> };

/** Every setting, by the name it has in the environment; a new one is a new entry above and nothing else. */
export const SETTINGS: Readonly<Record<SettingName, Setting>> = TABLE;

/** The names of all settings, in the order of the table. */
export const SETTING_NAMES: readonly SettingName[] = Object.keys(TABLE).filter(isSettingName);

/** The settings of which an empty value is a mistake. */
export const GUARD_SETTINGS: readonly SettingName[] = SETTING_NAMES.filter((name) => SETTINGS[name].guards);

function isSettingName(name: string): name is SettingName {
  return Object.hasOwn(TABLE, name);
}
