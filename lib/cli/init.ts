import { ConfigError, parseConfig } from "../config/parse.ts";
import { type SettingName, SETTINGS, type Settings } from "../config/settings.ts";
import { settingsSchema } from "../config/settings_schema.ts";
import { quote } from "../base/redact.ts";
import { printLine } from "../observability/log.ts";
import { FileError, fileExists, writePrivateFile } from "../runtime/files.ts";
import { newId } from "../runtime/ids.ts";
import { createPrompt, type Prompt } from "../runtime/prompt.ts";

/**
 * Runs `init`: asks for the key, the model and where clients are, and writes a configuration file and its JSON Schema.
 *
 * @throws {ConfigError} if an answer is invalid, or if the file exists or cannot be written.
 */
export async function runInit(args: readonly string[]): Promise<number> {
  const [path = "gateway.json", ...others] = args;
  if (path.startsWith("-") || others.length > 0) {
    throw new ConfigError([
      `Cannot use ${quote(args.join(" "))}: init accepts only the path of the file to write`,
    ]);
  }
  if (fileExists(path)) throw new ConfigError([`Cannot write ${quote(path)}: the file exists`]);
  const prompt = createPrompt();
  const settings = await askSettings(prompt).finally(() => prompt.close());
  parseConfig({ settings });
  const schemaPath = `${path.replace(/\.jsonc?$/, "")}.schema.json`;
  const schemaName = schemaPath.slice(
    Math.max(schemaPath.lastIndexOf("/"), schemaPath.lastIndexOf("\\")) + 1,
  );
  write(path, writeConfigFile(settings, `./${schemaName}`));
  write(schemaPath, `${JSON.stringify(settingsSchema(), null, 2)}\n`, { replace: true });
  printLine(`Wrote ${path}, and ${schemaPath} for editors. Start the gateway with --config ${path}`);
  const [key] = [settings.GATEWAY_API_KEYS ?? []].flat();
  if (key !== undefined) printLine(`Key for clients: ${key.slice(key.indexOf(":") + 1)}`);
  return 0;
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
    `  // ${SETTINGS[name].text}.\n  ${JSON.stringify(name)}: ${JSON.stringify(values[name])}`
  );
  return `{\n${[`  "$schema": ${JSON.stringify(schemaPath)}`, ...lines].join(",\n\n")}\n}\n`;
}

function write(path: string, text: string, options?: { replace: boolean }): void {
  try {
    writePrivateFile(path, text, options);
  } catch (error) {
    if (!(error instanceof FileError)) throw error;
    throw new ConfigError([`Cannot write ${quote(path)}: ${error.message}`]);
  }
}
