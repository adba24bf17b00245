import { COMMANDS } from "./commands.ts";
import { describeValue } from "../config/describe.ts";
import { resolveSettings, type Sources } from "../config/parse.ts";
import { SETTING_NAMES, type SettingName, SETTINGS } from "../config/settings.ts";
import { quote } from "../base/redact.ts";
import type { McpServer } from "../config/mcp/mcp_config.ts";

/** Returns the output of `--help`: how to start the program, every command, and every flag. */
export function helpText(): string {
  const flags = SETTING_NAMES.map((
    name,
  ) => [`${SETTINGS[name].flag} VALUE`, `${SETTINGS[name].text} (${nameAndDefault(name)})`]);
  const actions = [
    ["--config PATH", "Configuration file: JSON with comments, read again when it changes (CONFIG_FILE)"],
    ["--mcp", "Serve the tools of TOOLS as an MCP server on stdin and stdout; opens no port, needs no keys"],
    ["--check", "Print the effective settings and every mistake in them, and exit"],
    ["--version", "Print the version, and exit"],
    ["-h, --help", "Print this text, and exit"],
  ];
  return `Serves Anthropic's Messages API to any client and answers with any model behind OpenRouter.

  In a clone:   npm start -- [flags]     bun run mod.ts [flags]     deno run --allow-net mod.ts [flags]
  As a package: npx openrouter-anthropic-server [flags]

Commands, in place of the first flag:

${columns(Array.from(COMMANDS, ([name, { text }]) => [name, text]))}

Each setting is a flag, an environment variable if the program may read it, or a value in the configuration
file. The flag takes precedence over the variable, and that over the file.
Other users of this machine can read the flags of a running program: give keys in the environment.

${columns([...flags, ...actions])}`;
}

/** Returns the settings as a Markdown table for docs/configuration.md, in the format of `deno fmt`. */
export function settingsTable(): string {
  const rows = SETTING_NAMES.map((name) => {
    const { flag, text, reload = false, default: fallback } = SETTINGS[name];
    const shown = fallback === undefined ? "" : `\`${fallback}\``;
    return [`\`${name}\``, `\`${flag}\``, shown, reload ? "reload" : "restart", text];
  });
  const header = ["Setting", "Flag", "Default", "Change", "Meaning"];
  const widths = header.map((_, at) => Math.max(...[header, ...rows].map((row) => row[at]?.length ?? 0)));
  const toLine = (row: string[]) => `| ${row.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join(" | ")} |`;
  return [header, widths.map((width) => "-".repeat(width)), ...rows].map(toLine).join("\n");
}

/**
 * Returns the output of `--check`: each setting, its value and its source. Secrets show at most their length or name.
 */
export function describeConfig(sources: Sources): string {
  const rows = resolveSettings(sources).map(({ name, origin, value, mistakes }) => {
    const shown = mistakes.length > 0 ? "invalid" : describeValue(name, value);
    return [name, `${shown} (${origin})`];
  });
  return columns(rows);
}

/** Returns the part of `--check` about the MCP servers: each with its kind, and the fields that are ignored. */
export function describeServers(servers: readonly McpServer[]): string {
  if (servers.length === 0) return "  MCP_CONFIG has no servers";
  return columns(servers.map(({ config, unknownFields }) => {
    const ignored = unknownFields.length === 0 ? "" : `; ignored: ${unknownFields.map(quote).join(", ")}`;
    return [`MCP server ${config.name}`, `${config.type}${ignored}`];
  }));
}

function nameAndDefault(name: SettingName): string {
  const { default: fallback } = SETTINGS[name];
  return fallback === undefined ? name : `${name}, ${fallback}`;
}

function columns(rows: string[][]): string {
  const width = Math.max(...rows.map(([first = ""]) => first.length));
  return rows.map(([first = "", second = ""]) => `  ${first.padEnd(width)}  ${second}`).join("\n");
}
