import { checkRelations, ConfigError, toConfigKey } from "./parse.ts";
import { type Config, SETTING_NAMES, type SettingName, SETTINGS } from "./settings.ts";

/** Result of new settings for a running gateway. */
export interface Reloaded {
  /** Names of the settings that have changed and are in force for new requests. */
  changed: readonly SettingName[];
  /** Names of the settings that have changed and need a restart; their old values stay in force. */
  restart: readonly SettingName[];
}

/**
 * Returns the settings in force after new ones were given to a running gateway: those that need a restart keep their
 * values.
 *
 * @throws {ConfigError} if these settings do not fit together.
 */
export function reloadConfig(current: Config, next: Config): Reloaded & { config: Config } {
  const differing = SETTING_NAMES.filter((name) => !isSame(valueOf(current, name), valueOf(next, name)));
  const restart = differing.filter((name) => !SETTINGS[name].reload);
  const kept = restart.map((name) => [toConfigKey(name), valueOf(current, name)] as const);
  // The parse boundary: each value is one of `current` or `next`, under its own key.
  const config = { ...next, ...Object.fromEntries(kept) } as Config;
  const mistakes = checkRelations(config);
  if (mistakes.length > 0) throw new ConfigError(mistakes);
  return { config, changed: differing.filter((name) => SETTINGS[name].reload), restart };
}

function valueOf(config: Config, name: SettingName): unknown {
  return new Map<string, unknown>(Object.entries(config)).get(toConfigKey(name));
}

function isSame(one: unknown, other: unknown): boolean {
  return JSON.stringify(one, toEntries) === JSON.stringify(other, toEntries);
}

function toEntries(_field: string, value: unknown): unknown {
  return value instanceof Map || value instanceof Set ? [...value] : value;
}
