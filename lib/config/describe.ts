import type { Alias, Target } from "./aliases.ts";
import { toConfigKey } from "./parse.ts";
import { type Config, SETTING_NAMES, type SettingName, SETTINGS, type Settings } from "./settings.ts";
import type { NamedUpstream } from "./upstreams.ts";
import { redact } from "../base/redact.ts";

/** Places that settings come from, by name: `--port`, `environment`, `gateway.json:3:5`. */
export type SettingOrigins = Readonly<Partial<Record<SettingName, string>>>;

/** A setting in force, in words that hold no secret. */
export interface SettingText {
  name: SettingName;
  value: string;
  /** True if it is not set, and has no default. */
  isUnset: boolean;
  /** True for a secret that is set; its value is `set`. */
  isSecret: boolean;
  origin: string;
  /** The default, if another value is in force. */
  fallback: string | undefined;
}

/** The settings in force, without secrets. */
export interface SettingsInForce {
  all: readonly SettingText[];
  /** Time since which they are in force, in milliseconds since 1970. */
  since: number;
  /** Names of the settings that were changed since, and need a restart. */
  waiting: readonly SettingName[];
}

/** Origin of a setting that is not given. */
export const DEFAULT_ORIGIN = "default";

/** Describes the settings in force. Without an origin, a given setting comes from `settings`. */
export function describeSettings(
  config: Config,
  { settings, origins = {} }: { settings: Settings; origins?: SettingOrigins | undefined },
): SettingText[] {
  const values = new Map<string, unknown>(Object.entries(config));
  return SETTING_NAMES.map((name) => {
    const { default: fallback, secret = false } = SETTINGS[name];
    const value = values.get(toConfigKey(name));
    const given = settings[name];
    const isGiven = given !== undefined && given !== fallback;
    const origin = origins[name] ?? (isGiven ? "settings" : DEFAULT_ORIGIN);
    // Names of keys and upstreams are no secrets.
    const isNamed = value instanceof Map || Array.isArray(value);
    const isSecret = secret && value !== undefined && value !== fallback && !isNamed;
    return {
      name,
      value: isSecret ? "set" : describeValue(name, value),
      isUnset: value === undefined,
      isSecret,
      origin,
      fallback: origin === DEFAULT_ORIGIN ? undefined : fallback,
    };
  });
}

/** Returns a value in words. A secret shows at most its length, a key its name, an alias and an upstream its target. */
export function describeValue(name: SettingName, value: unknown): string {
  if (value === undefined) return "not set";
  // Options and headers may hold a key: an alias or an upstream shows only its target.
  if (name === "MODEL_ACCESS" && value instanceof Map) {
    return [...value].map(([key, models]) => `${key}: ${models.join(" ") || "none"}`).join(", ") || "all";
  }
  if (value instanceof Map) {
    return value.size === 0 ? "none" : redact([...value].map(describeTarget).join(", "));
  }
  if (value instanceof Set) return [...value].join(", ");
  if (Array.isArray(value)) return redact(value.map(nameOf).join(", "));
  const { secret, default: fallback } = SETTINGS[name];
  if (typeof value === "object") return secret ? "set" : redact(JSON.stringify(value, mapToObject));
  if (secret && value !== fallback) return `set (${String(value).length} characters)`;
  return redact(String(value));
}

function mapToObject(_field: string, value: unknown): unknown {
  return value instanceof Map ? Object.fromEntries(value) : value;
}

/** Returns a value itself or, for a key, its name. */
function nameOf(value: string | { name: string }): string {
  return typeof value === "string" ? value : value.name;
}

function describeTarget([name, target]: [string, string | Alias | NamedUpstream]): string {
  if (typeof target === "string") return `${name}=${target}`;
  if ("url" in target) return `${name} -> ${target.url}`;
  const { targets, fallbacks = [] } = target;
  const first = targets === undefined ? target.model : targets.map(describeShare).join(" or ");
  const others = fallbacks.map((target) => typeof target === "string" ? target : target.model);
  return [`${name} -> ${first}`, ...others].join(", else ");
}

function describeShare(target: string | Target): string {
  if (typeof target === "string") return target;
  return target.weight === undefined ? target.model : `${target.model} (weight ${target.weight})`;
}
