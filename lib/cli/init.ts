import { parseCcr } from "../config/ccr/parse_ccr.ts";
import { toSettings } from "../config/ccr/to_settings.ts";
import { type ConfigFile, parseConfigFile } from "../config/sources/config_file.ts";
import { ConfigError, parseConfig } from "../config/parse.ts";
import { type SettingName, SETTINGS, type Settings } from "../config/settings.ts";
import { settingsSchema } from "../config/settings_schema.ts";
import { isObject } from "../base/json.ts";
import { quote } from "../base/redact.ts";
import { printError, printLine } from "../observability/log.ts";
import { FileError, fileExists, readTextFile, writePrivateFile } from "../runtime/files.ts";
import { readVariable } from "../runtime/process.ts";
import { newId } from "../runtime/ids.ts";
import { createPrompt, type Prompt } from "../runtime/prompt.ts";

/**
 * Runs `init`: asks for the key, the model and where clients are, and writes a configuration file and its JSON Schema.
 * `--from-ccr config.json` asks nothing: it converts the configuration of claude-code-router, and lists what is not
 * carried over.
 *
 * @throws {ConfigError} if an answer or the other configuration is invalid, or if the file exists or cannot be written.
 */
export async function runInit(args: readonly string[]): Promise<number> {
  const { path, source } = readArguments(args);
  requireNoFile(path);
  if (source !== undefined) return convert(source, path);
  const prompt = createPrompt();
  const settings = await askSettings(prompt).finally(() => prompt.close());
  parseConfig({ settings });
  writeFiles(settings, path);
  const [key] = [settings.GATEWAY_API_KEYS ?? []].flat();
  if (key !== undefined) printLine(`Key for clients: ${key.slice(key.indexOf(":") + 1)}`);
  return 0;
}

function readArguments(args: readonly string[]): { path: string; source?: string } {
  const words = args.flatMap((word) =>
    word.startsWith(`${FROM_CCR}=`) ? [FROM_CCR, word.slice(FROM_CCR.length + 1)] : [word]
  );
  const at = words.indexOf(FROM_CCR);
  const [, source] = at < 0 ? [] : words.splice(at, 2);
  const [path = "gateway.json", ...others] = words;
  if (path.startsWith("-") || others.length > 0) {
    throw new ConfigError([
      `Cannot use ${
        quote(args.join(" "))
      }: init accepts only the path of the file to write, and ${FROM_CCR} PATH`,
    ]);
  }
  if (at >= 0 && (source === undefined || source === "")) {
    throw new ConfigError([
      `Cannot use flag "${FROM_CCR}": it needs the path of claude-code-router's config.json`,
    ]);
  }
  return { path, ...(source !== undefined && { source }) };
}

const FROM_CCR = "--from-ccr";

/**
 * Writes the settings of a configuration of claude-code-router, and prints what is not carried over. The result is 1 if
 * something in the file must be corrected.
 */
function convert(source: string, path: string): number {
  const { config, mistake } = parseCcr(read(source), source);
  if (config === undefined) throw new ConfigError([mistake]);
  const { settings, notes } = toSettings(config);
  const unset = new Set<string>();
  const file = parseConfigFile(writeConfigFile(settings, "./gateway.schema.json"), path, (name) => {
    const value = readVariable(name);
    if (value === undefined) unset.add(name);
    return value || STAND_IN;
  });
  const mistakes = findMistakes(file);
  writeFiles(settings, path);
  for (const mistake of mistakes) printError(mistake);
  for (const name of unset) printLine(`Set the variable ${name}, which the file refers to`);
  if (notes.length > 0) printLine(`Not carried over from ${source}, or other than there:`);
  for (const note of notes) printLine(`  ${note}`);
  if (settings.ANTHROPIC_MODEL === undefined) printLine("Set ANTHROPIC_MODEL: Router has no usable default");
  printLine(CLIENTS);
  return mistakes.length === 0 ? 0 : 1;
}

/** Returns what must be corrected in a file, such as a URL that was no URL before. */
function findMistakes(file: ConfigFile): readonly string[] {
  try {
    parseConfig({ file });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.mistakes;
  }
}

/** Value of a variable that is not set yet. It fits as a key and in any part of a URL. */
const STAND_IN = "http://variable.invalid";

const CLIENTS =
  "Clients choose the model here. Start Claude Code with the command claude, or with ANTHROPIC_MODEL=big and ANTHROPIC_DEFAULT_HAIKU_MODEL=small";

function read(path: string): string {
  try {
    return readTextFile(path);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError([`Cannot read ${quote(path)}: ${error.message}`]);
  }
}

/** Checks before the questions that no file will be replaced. */
function requireNoFile(path: string): void {
  let reason = "the file exists";
  try {
    if (!fileExists(path)) return;
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    reason = error.message;
  }
  throw new ConfigError([`Cannot write ${quote(path)}: ${reason}`]);
}

/** Writes the configuration file and its JSON Schema. */
function writeFiles(settings: Settings, path: string): void {
  const schemaPath = `${path.replace(/\.jsonc?$/, "")}.schema.json`;
  const schemaName = schemaPath.slice(
    Math.max(schemaPath.lastIndexOf("/"), schemaPath.lastIndexOf("\\")) + 1,
  );
  write(path, writeConfigFile(settings, `./${schemaName}`));
  write(schemaPath, `${JSON.stringify(settingsSchema(), null, 2)}\n`, { replace: true });
  printLine(`Wrote ${path}, and ${schemaPath} for editors. Start the gateway with --config ${path}`);
}

async function askSettings(prompt: Prompt): Promise<Settings> {
  const key = await prompt.ask(
    "OpenRouter key (hidden; empty: the variable OPENROUTER_API_KEY, or each client's own key): ",
    { hidden: true },
  );
  const fallback = SETTINGS.ANTHROPIC_MODEL.default ?? "";
  const model = await prompt.ask(`Model [${fallback}]: `);
  const remote = /^\s*y(es)?\s*$/i.test(await prompt.ask("Do clients connect from other machines? [y/N]: "));
  return {
    ...(key.trim() !== "" && { OPENROUTER_API_KEY: key.trim() }),
    ANTHROPIC_MODEL: model.trim() || fallback,
    PORT: 4000,
    HOST: remote ? "0.0.0.0" : "127.0.0.1",
    ...(remote && { GATEWAY_API_KEYS: [`client:${newId("")}`] }),
  };
}

/**
 * Returns the text of a configuration file, with the meaning of each setting as a comment.
 *
 * @example Usage
 * ```ts
 * import { writeConfigFile } from "./init.ts";
 *
 * writeConfigFile({ PORT: 4000 }, "./gateway.schema.json");
 * ```
 */
export function writeConfigFile(settings: Settings, schemaPath: string): string {
  const names = Object.keys(settings) as SettingName[];
  const values: Readonly<Record<string, unknown>> = settings;
  const lines = names.map((name) =>
    `  // ${SETTINGS[name].text}.\n  ${JSON.stringify(name)}: ${toJson(values[name])}`
  );
  return `{\n${[`  "$schema": ${JSON.stringify(schemaPath)}`, ...lines].join(",\n\n")}\n}\n`;
}

/** Writes a value as JSON, with an object's members on lines of their own. */
function toJson(value: unknown): string {
  const indent = isObject(value) ? 2 : 0;
  return JSON.stringify(value, null, indent).replaceAll("\n", "\n  ");
}

function write(path: string, text: string, options?: { replace: boolean }): void {
  try {
    writePrivateFile(path, text, options);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError([`Cannot write ${quote(path)}: ${error.message}`]);
  }
}
