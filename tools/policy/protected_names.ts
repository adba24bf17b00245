import { PROTECTED } from "./protected.ts";

/** A set of protected names; see `ProtectedNames.names` for their form. */
export interface NameMatcher {
  /** True if an entry is protected; `folder` is the name of the folder that contains it. */
  matches(name: string, folder: string | undefined): boolean;
  /** True if some names below a folder of this name are protected. */
  hasFolder(name: string): boolean;
}

/** Compiles protected names. They match regardless of letter case and of characters that some file systems ignore. */
export function compileNames(names: readonly string[]): NameMatcher {
  const normalized = names.map((name) => name.split("/").map(normalizeName).join("/"));
  const exact = new Set(normalized.filter((name) => !name.startsWith("*")));
  const folders = new Set(normalized.filter((name) => name.includes("/")).map((name) => name.split("/")[0]));
  const endings = normalized.filter((name) => name.startsWith("*")).map((name) => name.slice(1));
  return {
    matches(name, folder) {
      const own = normalizeName(name);
      return exact.has(own) || endings.some((ending) => own.endsWith(ending)) ||
        (folder !== undefined && exact.has(`${normalizeName(folder)}/${own}`));
    },
    hasFolder: (name) => folders.has(normalizeName(name)),
  };
}

/** Matches the names in the table. */
export const PROTECTED_NAMES: NameMatcher = compileNames(PROTECTED);

/**
 * Returns the name under which some file systems find an entry: those of macOS and Windows treat `.GIT` and names with
 * invisible characters as `.git`, and Windows treats `.git.`, `.git ` and `.git::$DATA` as `.git`.
 */
export function normalizeName(name: string): string {
  if (/^[a-z0-9_-]+$/.test(name)) return name;
  const visible = name.replace(/\p{Default_Ignorable_Code_Point}/gu, "").normalize("NFKC").toLowerCase();
  return visible.replace(/:.*$/s, "").replace(/[. ]+$/, "");
}
