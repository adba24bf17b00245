import { lstat } from "node:fs/promises";
import { ToolError } from "../../errors.ts";
import { compileIgnoreRules } from "../../patterns/glob_pattern.ts";
import type { FilePolicy } from "../../policy/files.ts";
import type { Directory } from "./directory.ts";
import { readFile } from "./read.ts";
import { systemErrorCode } from "./file_errors.ts";

/** Consecutive rules that have the same effect on what they match. */
interface Rules {
  ignored: boolean;
  /** True if they match folders only. */
  foldersOnly: boolean;
  matches(path: string): boolean;
}

/** Rules of one `.gitignore`, the last first, and the depth of its folder. */
interface IgnoreLayer {
  depth: number;
  rules: readonly Rules[];
}

/** Maximum size of a `.gitignore`; a larger one is ignored. */
const MAX_FILE_BYTES = 32 * 1024;

/** Maximum number of lines that are read. */
const MAX_LINES = 2_000;

/**
 * Rules of the `.gitignore` files from the root to a folder. The nearest file takes precedence.
 *
 * The files are part of the workspace and may be hostile. Rules are therefore matched in linear time: a hostile file
 * can make packages that match by backtracking hang.
 */
export class GitIgnore {
  static readonly none: GitIgnore = new GitIgnore([]);
  readonly #layers: readonly IgnoreLayer[];

  private constructor(layers: readonly IgnoreLayer[]) {
    this.#layers = layers;
  }

  /** Returns these rules with those of a folder's `.gitignore`, if `names` contains one. */
  async enter(
    directory: Directory,
    names: readonly string[],
    { policy, signal }: { policy: FilePolicy; signal: AbortSignal },
  ): Promise<GitIgnore> {
    if (!names.includes(".gitignore")) return this;
    const text = await readRules(directory, policy, signal);
    if (text === undefined) return this;
    return new GitIgnore([{ depth: directory.path.length, rules: parseRules(text) }, ...this.#layers]);
  }

  /** True if an entry is ignored. The folders above it are not checked again. */
  ignores(path: readonly string[], isFolder: boolean): boolean {
    for (const { depth, rules } of this.#layers) {
      const below = path.slice(depth).join("/");
      const last = rules.find(({ foldersOnly, matches }) => (isFolder || !foldersOnly) && matches(below));
      if (last !== undefined) return last.ignored;
    }
    return false;
  }
}

function parseRules(text: string): Rules[] {
  const groups: { ignored: boolean; foldersOnly: boolean; patterns: string[] }[] = [];
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/).slice(0, MAX_LINES)) {
    const rule = line.replace(/^((?:\\[\s\S]|[^\\])*?)[ \t]+$/, "$1");
    if (rule === "" || rule.startsWith("#")) continue;
    const ignored = !rule.startsWith("!");
    const pattern = ignored ? rule : rule.slice(1);
    const foldersOnly = pattern.endsWith("/");
    const last = groups.at(-1);
    const group = last?.ignored === ignored && last.foldersOnly === foldersOnly
      ? last
      : { ignored, foldersOnly, patterns: [] };
    if (group !== last) groups.push(group);
    group.patterns.push(pattern.replace(/\/+$/, ""));
  }
  return groups.reverse().map(({ patterns, ...rest }) => ({
    ...rest,
    matches: compileIgnoreRules(patterns),
  }));
}

/** Reads a folder's `.gitignore`; returns undefined if it cannot be read or is too large. */
async function readRules(
  directory: Directory,
  policy: FilePolicy,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = ".gitignore";
  const options = {
    policy: { ...policy, maxBytes: MAX_FILE_BYTES },
    action: "read",
    displayPath: name,
    signal,
  };
  try {
    const stat = await lstat(directory.pathOf(name), { bigint: true });
    return new TextDecoder().decode(await readFile(directory, { name, stat }, options));
  } catch (error) {
    if (error instanceof ToolError || systemErrorCode(error) !== undefined) return undefined;
    throw error;
  }
}
