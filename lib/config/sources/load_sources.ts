import { quote } from "../../base/redact.ts";
import type { ConfigFile } from "./config_file.ts";
import type { Sources } from "../parse.ts";
import { GUARD_SETTINGS, SECRET_SETTINGS, SETTING_NAMES, type SettingName } from "../settings.ts";
import type { ReadVariable } from "./variables.ts";

/** What the sources of settings are read with. */
export interface SourceReader {
  readVariable: ReadVariable;
  /** @throws {Error} if the file cannot be read; the message is the reason, such as `no such file`. */
  readTextFile(path: string): string;
}

/** The sources of settings, and the paths of all files that they were read from. */
export interface LoadedSources extends Sources {
  files: readonly string[];
}

/**
 * Reads the environment and the configuration file, which `configPath` or the variable `CONFIG_FILE` names, and the
 * files of secrets (`NAME_FILE`) that both name. A file that cannot be read is a mistake among those of the result.
 * Paths in a configuration file are relative to its folder.
 *
 * @example Usage
 * ```ts
 * import { loadSources } from "./load_sources.ts";
 *
 * const files: Record<string, string> = { "gateway.json": '{ "PORT": 8080 }' };
 * const reader = { readVariable: () => undefined, readTextFile: (path: string) => files[path] ?? "" };
 * const { file } = await loadSources({ configPath: "gateway.json" }, reader);
 * if (file?.values.PORT !== 8080) throw new Error("not read");
 * ```
 */
export async function loadSources(
  { flags, configPath }: { flags?: Sources["flags"]; configPath?: string | undefined },
  reader: SourceReader,
): Promise<LoadedSources> {
  const files: string[] = [];
  const mistakes: string[] = [];
  const origins: Partial<Record<SettingName, string>> = {};
  const env = readEnvironment(reader.readVariable);
  const path = configPath ?? (reader.readVariable("CONFIG_FILE") || undefined);
  const file = path === undefined ? undefined : await readConfigFile(path);

  for (const name of SECRET_SETTINGS) {
    const variable = `${name}_FILE`;
    const secretPath = reader.readVariable(variable);
    if (!secretPath) {
      const guards = secretPath === "" && GUARD_SETTINGS.includes(name);
      if (guards) mistakes.push(`Cannot use ${variable}: it is empty, and access would be open without it`);
      continue;
    }
    if (env[name] !== undefined) mistakes.push(`Cannot use ${variable}: ${name} is also set`);
    const secret = readSecret(secretPath, `${variable} ${quote(secretPath)}`);
    if (secret === undefined) continue;
    env[name] = secret;
    origins[name] = variable;
  }

  async function readConfigFile(path: string): Promise<ConfigFile | undefined> {
    files.push(path);
    const { parseConfigFile } = await import("./config_file.ts");
    try {
      return withSecrets(parseConfigFile(reader.readTextFile(path), path, reader.readVariable), path);
    } catch (error) {
      mistakes.push(`Cannot read the configuration file ${quote(path)}: ${reasonOf(error)}`);
      return undefined;
    }
  }

  /** Adds the values of secrets to a configuration file. */
  function withSecrets(config: ConfigFile, path: string): ConfigFile {
    const values = { ...config.values };
    for (const name of SECRET_SETTINGS) {
      const given = config.secretFiles[name];
      if (given === undefined) continue;
      const secretPath = toPath(given, path);
      const variable = `${name}_FILE`;
      values[name] = readSecret(
        secretPath,
        `${variable} ${quote(secretPath)} (${config.locate([variable])})`,
      );
      if (values[name] === undefined) delete values[name];
    }
    const locate = (keys: readonly (string | number)[]) => {
      const [name, ...rest] = keys;
      const secret = SECRET_SETTINGS.find((known) =>
        known === name && config.secretFiles[known] !== undefined
      );
      return config.locate(secret === undefined ? keys : [`${secret}_FILE`, ...rest]);
    };
    return { ...config, values, locate };
  }

  /** Returns the secret in a file, without the line end after it. */
  function readSecret(path: string, shown: string): string | undefined {
    files.push(path);
    try {
      const secret = reader.readTextFile(path).replace(/[\r\n]+$/, "");
      if (secret !== "") return secret;
      mistakes.push(`Cannot use ${shown}: the file is empty`);
    } catch (error) {
      mistakes.push(`Cannot use ${shown}: ${reasonOf(error)}`);
    }
    return undefined;
  }

  return { ...(flags && { flags }), env, origins, ...(file && { file }), mistakes, files };
}

function readEnvironment(readVariable: ReadVariable): Partial<Record<SettingName, string>> {
  const env: Partial<Record<SettingName, string>> = {};
  for (const name of SETTING_NAMES) {
    const value = readVariable(name);
    if (value || (value === "" && GUARD_SETTINGS.includes(name))) env[name] = value;
  }
  return env;
}

/** Returns a path that is relative to the folder of a file. */
function toPath(path: string, file: string): string {
  const isAbsolute = /^([\\/]|[A-Za-z]:)/.test(path);
  const folder = file.slice(0, Math.max(file.lastIndexOf("/"), file.lastIndexOf("\\")) + 1);
  return isAbsolute ? path : `${folder}${path}`;
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
