import { nearestName } from "../config/nearest.ts";
import { SETTING_NAMES, type SettingName, SETTINGS } from "../config/settings.ts";
import { quote } from "../base/redact.ts";

/** Action that a command line selects. */
export type Action = "serve" | "check" | "version" | "help";

/** What the program serves: the gateway over HTTP, or its tools over MCP on stdin and stdout. */
export type Service = "http" | "mcp";

/**
 * Parsed command line: the action, settings by name, the path of the configuration file, and one line for each invalid
 * argument.
 */
export type Flags = {
  action: Action;
  service: Service;
  values: Partial<Record<SettingName, string>>;
  configPath?: string;
  mistakes: string[];
};

/**
 * Reads command-line arguments. `--port 4001` and `--port=4001` are equal; the last of repeated flags wins.
 *
 * @example Usage
 * ```ts
 * import { readFlags } from "./flags.ts";
 *
 * // { action: "check", service: "http", values: { PORT: "4001" }, mistakes: [] }
 * readFlags(["--port", "4001", "--check"]);
 * ```
 */
export function readFlags(args: readonly string[]): Flags {
  const flags: Flags = { action: "serve", service: "http", values: {}, mistakes: [] };
  const words = args.filter((word) => word !== "--"); // npm and deno may pass it through
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const { action, service, name, value, mistake } = readFlag(word, words);
    if (mistake) flags.mistakes.push(mistake);
    else if (name === CONFIG && value !== undefined) flags.configPath = value;
    else if (name && name !== CONFIG && value !== undefined) flags.values[name] = value;
    if (service) flags.service = service;
    if (action && RANK.indexOf(action) > RANK.indexOf(flags.action)) flags.action = action;
  }
  return flags;
}

type Flag = {
  action?: Action;
  service?: Service;
  name?: SettingName | typeof CONFIG;
  value?: string;
  mistake?: string;
};

/** Flag of the configuration file, which is a source of settings and no setting itself. */
const CONFIG = "--config";

/** Reads one flag. Removes its value from `rest` if the flag needs one. */
function readFlag(word: string, rest: string[]): Flag {
  if (!word.startsWith("-")) {
    return { mistake: `Cannot use ${quote(word)}: neither a flag nor a command, --help lists both` };
  }
  const cut = word.includes("=") ? word.indexOf("=") : word.length;
  const flag = word.slice(0, cut);
  const choice = CHOICES.get(flag);
  const given = cut < word.length ? word.slice(cut + 1) : undefined;
  if (choice) {
    return given === undefined ? choice : { mistake: `Cannot use flag "${flag}": it accepts no value` };
  }
  // An unknown flag consumes its value too. As a separate argument, it would appear in an error, and it may be a key.
  const value = given ?? (isFlag(rest[0]) ? undefined : rest.shift());
  const name = flag === CONFIG ? CONFIG : NAMES.get(flag);
  if (!name) return { mistake: `Cannot use flag ${quote(flag)}: unknown flag, ${hint(flag)}` };
  return value === undefined ? { mistake: `Cannot use flag "${flag}": it needs a value` } : { name, value };
}

const RANK: readonly Action[] = ["serve", "check", "version", "help"];
/** Flags without a value, which are no settings. */
const CHOICES: ReadonlyMap<string, Pick<Flag, "action" | "service">> = new Map([
  ["--help", { action: "help" }],
  ["-h", { action: "help" }],
  ["--version", { action: "version" }],
  ["--check", { action: "check" }],
  ["--mcp", { service: "mcp" }],
]);
const NAMES: ReadonlyMap<string, SettingName> = new Map(
  SETTING_NAMES.map((name) => [SETTINGS[name].flag, name]),
);

function isFlag(word: string | undefined): boolean {
  return word !== undefined && (word.startsWith("--") || CHOICES.has(word));
}

function hint(flag: string): string {
  const nearest = nearestName(flag, [...NAMES.keys(), CONFIG, ...CHOICES.keys()]);
  return nearest ? `the nearest is ${nearest}` : "--help lists all flags";
}
