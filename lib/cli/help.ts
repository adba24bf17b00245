import { resolveSettings, type Sources } from "../config/parse.ts";
import { SETTING_NAMES, type SettingName, SETTINGS } from "../config/settings.ts";
import { redact } from "../base/redact.ts";
import type { NamedUpstream } from "../config/upstreams.ts";
import type { Alias } from "../config/aliases.ts";

/** What `--help` prints: how to start the program, and every flag. */
export function helpText(): string {
  const flags = SETTING_NAMES.map((
    name,
  ) => [`${SETTINGS[name].flag} VALUE`, `${SETTINGS[name].text} (${nameAndDefault(name)})`]);
  const actions = [
    ["--check", "Print the settings in force and every mistake in them, and stop"],
    ["--version", "Print the version, and stop"],
    ["-h, --help", "Print this, and stop"],
  ];
  return `Speaks Anthropic's Messages API to any client and answers with any model behind OpenRouter.

  deno run --allow-net mod.ts [flags]     bun run mod.ts [flags]     npm start -- [flags]

Each setting is a flag, or a variable of the environment where that may be read; the flag goes first.

${columns([...flags, ...actions])}`;
}

/** The settings as a Markdown table for docs/configuration.md, laid out as by `deno fmt`. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { flag, text, default: fallback } = SETTINGS[name];
    return [`\`${name}\``, `\`${flag}\``, fallback === undefined ? "" : `\`${fallback}\``, text];
  });
  const header = ["Setting", "Flag", "Default", "Meaning"];
  const widths = header.map((_, at) => Math.max(...[header, ...rows].map((row) => row[at]?.length ?? 0)));
  const toLine = (row: string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [header, widths.map((width) => "-".repeat(width)), ...rows].map(toLine).join("\n");
}

/** What `--check` prints: each setting, its value and where that is from; of a secret only that it is there. */
export function describeConfig(sources: Sources): string {
  const rows = resolveSettings(sources).map(({ name, origin, value, mistakes }) => {
    const shown = mistakes.length > 0 ? "cannot be used" : displayValue(name, value);
    return [name, `${shown} (${origin})`];
  });
  return columns(rows);
}

function displayValue(name: SettingName, value: unknown): string {
  if (value === undefined) return "not set";
  // Options and headers may hold anything, a key too: of an alias and an upstream only is told where they lead.
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

/** One of several values: itself, or of a key the name of who has it. */
function nameOf(value: string | { name: string }): string {
  return typeof value === "string" ? value : value.name;
}

function describeTarget(
  [name, { model, url, fallbacks = [] }]: [string, Partial<Alias & NamedUpstream>],
): string {
  const others = fallbacks.map((target) => typeof target === "string" ? target : target.model);
  return [`${name} -> ${model ?? url}`, ...others].join(", else ");
}

function nameAndDefault(name: SettingName): string {
  const { default: fallback } = SETTINGS[name];
  return fallback === undefined ? name : `${name}, ${fallback}`;
}

function columns(rows: string[][]): string {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`).join("\n");
}
