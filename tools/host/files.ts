import { setImmediate } from "node:timers/promises";
import { type FilePolicy, MAX_BYTES, quote } from "../policy/files.ts";
import { ToolError } from "../errors.ts";
import { find } from "./files/find.ts";
import { GitIgnore } from "./files/git_ignore.ts";
import { readFile, toVersion } from "./files/read.ts";
import { refuse } from "./files/file_errors.ts";
import type { Pattern } from "./files/ripgrep_pattern.ts";
import { createSieve } from "./files/ripgrep_filter.ts";
import { type Entry, type Walk, walk, type WalkOptions } from "./files/walk.ts";
import { replaceFile } from "./files/write.ts";

export type { Entry, Pattern, Walk, WalkOptions };

/** A file, whole. */
export interface FileContent {
  /** The way to it from the root of the workspace, without links: one file has one such path. */
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Two files of one version are the same to the last byte. */
  version: string;
}

/** The files of the workspace. Paths are a model's: absolute ones, or such that begin at the root. */
export interface Files {
  /** @throws {ToolError} if it is not there, no regular file, too large, or not in the workspace. */
  read(path: string): Promise<FileContent>;
  /**
   * Puts what `change` makes of a file, or of nothing if it is not there, in its place, whole or not at all, and
   * makes the folders on the way. Changes of one file wait for one another, and each leaves in `seen` what the file
   * is then, before the next one begins.
   *
   * @throws {ToolError} if it may not be written, or somebody else changes it at the same time; and what `change`
   * throws, with nothing written.
   */
  write(
    path: string,
    change: (current: FileContent | undefined) => Uint8Array<ArrayBuffer>,
    seen: Map<string, string>,
  ): Promise<FileContent>;
  /** Looks through a folder, or at one file, as far as {@link WalkOptions} say. @throws {ToolError} if it is not there. */
  walk(path: string, options: WalkOptions): Promise<Walk>;
  /** Leaves out files that surely hold nothing of a pattern, fast, where ripgrep is there; else leaves out none. */
  sift(paths: readonly string[], pattern: Pattern): Promise<readonly string[]>;
  /** Lets others have their turn, in the middle of long work; throws if the call is over. */
  pause(): Promise<void>;
}

/**
 * Opens the workspace to tools; what they may touch in it is the policy's to say, and changes by no call. Without
 * descriptors folders are held by path also where the system could hold them open.
 */
export function createFiles(
  policy: FilePolicy,
  { descriptors = true }: { descriptors?: boolean } = {},
): (call: { signal: AbortSignal }) => Files {
  const inTurn = createTurns();
  const ground = { policy, descriptors };
  const sieve = createSieve(policy);

  return ({ signal }) => ({
    read: (path) =>
      find(path, { ...ground, action: "read" }, async ({ directory, name, path: canonical, stat }) => {
        if (name === "") throw refuse("read", path, "it is a folder");
        if (stat === undefined) throw refuse("read", path, "there is no such file");
        const options = { policy, action: "read", shown: path, signal };
        return toContent(canonical, await readFile(directory, { name, stat }, options));
      }),

    write(path, change, seen) {
      if (!policy.write) throw new ToolError(`Cannot write ${quote(path)}: files may only be read here`);
      const action = "write";
      return find(
        path,
        { ...ground, action, write: true, create: () => void change(undefined) },
        (found) =>
          inTurn(found.path, async () => {
            const { directory, name } = found;
            if (name === "") throw refuse(action, path, "it is a folder");
            const stat = await directory.look(name);
            if (stat?.isSymbolicLink()) throw refuse(action, path, "it became a link while it was looked at");
            const options = { policy, action, shown: path, signal };
            const current = stat && toContent(found.path, await readFile(directory, { name, stat }, options));
            const next = toContent(found.path, change(current));
            if (next.bytes.length > (policy.maxBytes ?? MAX_BYTES)) {
              throw refuse(action, path, `it would have ${next.bytes.length} bytes, more than the limit`);
            }
            signal.throwIfAborted();
            await replaceFile(directory, { name, stat }, next.bytes);
            seen.set(next.path, next.version);
            return next;
          }),
      );
    },

    walk: (path, options) =>
      find(
        path,
        { ...ground, action: "look through" },
        async ({ directory, name, path: canonical, stat }) => {
          if (stat === undefined) throw refuse("look through", path, "there is no such file or folder");
          if (stat.isFile()) {
            const entry = { path: canonical, kind: "file" as const };
            const kept = options.select?.(name, "file") ?? true;
            const size = Number(stat.size);
            return {
              entries: kept ? [{ ...entry, size, modified: Number(stat.mtimeMs) }] : [],
              complete: true,
            };
          }
          const folder = name === "" ? directory : await directory.enter(name);
          try {
            const rules = options.ignored
              ? GitIgnore.none
              : await readRulesAbove(folder.path, ground, signal);
            return await walk(folder, options, { policy, signal, rules });
          } finally {
            if (folder !== directory) await folder.close();
          }
        },
      ),

    sift: (paths, pattern) => sieve(paths, pattern, signal),

    async pause() {
      await setImmediate();
      signal.throwIfAborted();
    },
  });
}

function toContent(path: string, bytes: Uint8Array<ArrayBuffer>): FileContent {
  return { path, bytes, version: toVersion(bytes) };
}

/** What `.gitignore` files above a folder say of what is in it; nothing if they ignore the folder itself, for it was asked for. */
async function readRulesAbove(
  path: readonly string[],
  ground: { policy: FilePolicy; descriptors: boolean },
  signal: AbortSignal,
): Promise<GitIgnore> {
  let rules = GitIgnore.none;
  for (const depth of path.keys()) {
    const above = path.slice(0, depth);
    // The last name is only there to be found in the folder.
    rules = await find(
      [...above, ".gitignore"].join("/"),
      { ...ground, action: "read" },
      ({ directory, stat }) =>
        stat === undefined
          ? Promise.resolve(rules)
          : rules.enter(directory, [".gitignore"], { policy: ground.policy, signal }),
    );
    if (rules.ignores(path.slice(0, depth + 1), true)) return GitIgnore.none;
  }
  return rules;
}

/** Lets what is done under one name wait until what was begun before under that name has ended. */
function createTurns(): <T>(name: string, run: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return async (name, run) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(run, run);
    last.set(name, turn);
    try {
      return await turn;
    } finally {
      if (last.get(name) === turn) last.delete(name);
    }
  };
}
