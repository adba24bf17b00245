import { resolveSettings, type Sources } from "../config/parse.ts";
import type { SettingName } from "../config/settings.ts";
import { type LoadedSources, loadSources } from "../config/sources/load_sources.ts";
import { readTextFile } from "../runtime/files.ts";
import { readVariable } from "../runtime/process.ts";
import type { Flags } from "./flags.ts";

/** Reads the sources of settings of the program: flags, environment, configuration file and files of secrets. */
export async function readSources(flags: Flags): Promise<LoadedSources> {
  return await loadSources({ flags, configPath: flags.configPath }, { readVariable, readTextFile });
}

/** Returns true if a setting is not its default because none was given. */
export function isGiven(name: SettingName, sources: Sources): boolean {
  return resolveSettings(sources).some((result) => result.name === name && result.origin !== "default");
}
