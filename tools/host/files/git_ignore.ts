import { lstat } from "node:fs/promises";
import { ToolError } from "../../errors.ts";
import { compileIgnoreRules } from "../../patterns/glob_pattern.ts";
import type { FilePolicy } from "../../policy/files.ts";
import type { Directory } from "./directory.ts";
import { readFile } from "./read.ts";
import { systemErrorCode } from "./file_errors.ts";

/** Rules that follow one another and say the same of what they match. */
interface Rules {
  ignored: boolean;
  /** Whether they only speak of folders. */
  foldersOnly: boolean;
  matches(path: string): boolean;
}

/** The rules of one `.gitignore`, the last first, and how deep it lies. */
interface IgnoreLayer {
  depth: number;
  rules: readonly Rules[];
}

/** The largest `.gitignore` that is obeyed, and how many of its lines are. */
const LIMITS = { bytes: 32 * 1024, lines: 2000 };

/**
 * What the `.gitignore` files on the way to a folder say; the nearest goes first. They are part of the workspace,
 * and so may be hostile: packages that match them by backtracking can be made to hang.
 */
export class GitIgnore {
  static readonly none: GitIgnore = new GitIgnore([]);
  readonly #layers: readonly IgnoreLayer[];

  private constructor(layers: readonly IgnoreLayer[]) {
    this.#layers = layers;
  }

  /** Adds what a folder's own `.gitignore` says, if it is among the names in it. */
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

  /** Whether something is ignored; the folders that it lies in are not asked again. */
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
  for (const line of text.replace(/^\ufeff/, "").split(/\r?\n/).slice(0, LIMITS.lines)) {
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

/** Rules that cannot be read, or are too many, count as none. */
async function readRules(
  directory: Directory,
  policy: FilePolicy,
  signal: AbortSignal,
): Promise<string | undefined> {
  const name = ".gitignore";
  const options = {
    policy: { ...policy, maxBytes: LIMITS.bytes },
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
