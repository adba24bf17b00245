import { setImmediate } from "node:timers/promises";
import { type FilePolicy, MAX_FILE_BYTES, quotePath } from "../policy/files.ts";
import { ToolError } from "../errors.ts";
import { withResolvedPath } from "./files/find.ts";
import { GitIgnore } from "./files/git_ignore.ts";
import { hashContent, readFile } from "./files/read.ts";
import { fileError } from "./files/file_errors.ts";
import type { SearchPattern } from "./files/ripgrep_pattern.ts";
import { createRipgrepFilter } from "./files/ripgrep_filter.ts";
import { type Entry, walk, type WalkOptions, type WalkResult } from "./files/walk.ts";
import { replaceFile } from "./files/write.ts";

export type { Entry, SearchPattern, WalkOptions, WalkResult };

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
  walk(path: string, options: WalkOptions): Promise<WalkResult>;
  /** Leaves out files that surely hold nothing of a pattern, fast, where ripgrep is there; else leaves out none. */
  prefilter(paths: readonly string[], pattern: SearchPattern): Promise<readonly string[]>;
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
  const enqueue = createKeyedQueue();
  const access = { policy, descriptors };
  const ripgrepFilter = createRipgrepFilter(policy);

  return ({ signal }) => ({
    read: (path) =>
      withResolvedPath(
        path,
        { ...access, action: "read" },
        async ({ directory, name, path: canonical, stat }) => {
          if (name === "") throw fileError("read", path, "it is a folder");
          if (stat === undefined) throw fileError("read", path, "there is no such file");
          const options = { policy, action: "read", displayPath: path, signal };
          return toFileContent(canonical, await readFile(directory, { name, stat }, options));
        },
      ),

    write(path, change, seen) {
      if (!policy.write) throw new ToolError(`Cannot write ${quotePath(path)}: files may only be read here`);
      const action = "write";
      return withResolvedPath(
        path,
        { ...access, action, write: true, beforeCreate: () => void change(undefined) },
        (found) =>
          enqueue(found.path, async () => {
            const { directory, name } = found;
            if (name === "") throw fileError(action, path, "it is a folder");
            const stat = await directory.lstat(name);
            if (stat?.isSymbolicLink()) {
              throw fileError(action, path, "it became a link while it was looked at");
            }
            const options = { policy, action, displayPath: path, signal };
            const current = stat &&
              toFileContent(found.path, await readFile(directory, { name, stat }, options));
            const next = toFileContent(found.path, change(current));
            if (next.bytes.length > (policy.maxBytes ?? MAX_FILE_BYTES)) {
              throw fileError(action, path, `it would have ${next.bytes.length} bytes, more than the limit`);
            }
            signal.throwIfAborted();
            await replaceFile(directory, { name, stat }, next.bytes);
            seen.set(next.path, next.version);
            return next;
          }),
      );
    },

    walk: (path, options) =>
      withResolvedPath(
        path,
        { ...access, action: "look through" },
        async ({ directory, name, path: canonical, stat }) => {
          if (stat === undefined) throw fileError("look through", path, "there is no such file or folder");
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
              : await readParentRules(folder.path, access, signal);
            return await walk(folder, options, { policy, signal, rules });
          } finally {
            if (folder !== directory) await folder.close();
          }
        },
      ),

    prefilter: (paths, pattern) => ripgrepFilter(paths, pattern, signal),

    async pause() {
      await setImmediate();
      signal.throwIfAborted();
    },
  });
}

function toFileContent(path: string, bytes: Uint8Array<ArrayBuffer>): FileContent {
  return { path, bytes, version: hashContent(bytes) };
}

/** What `.gitignore` files above a folder say of what is in it; nothing if they ignore the folder itself, for it was asked for. */
async function readParentRules(
  path: readonly string[],
  access: { policy: FilePolicy; descriptors: boolean },
  signal: AbortSignal,
): Promise<GitIgnore> {
  let rules = GitIgnore.none;
  for (const depth of path.keys()) {
    const above = path.slice(0, depth);
    // The last name is only there to be found in the folder.
    rules = await withResolvedPath(
      [...above, ".gitignore"].join("/"),
      { ...access, action: "read" },
      ({ directory, stat }) =>
        stat === undefined
          ? Promise.resolve(rules)
          : rules.enter(directory, [".gitignore"], { policy: access.policy, signal }),
    );
    if (rules.ignores(path.slice(0, depth + 1), true)) return GitIgnore.none;
  }
  return rules;
}

/** Lets what is done under one name wait until what was begun before under that name has ended. */
function createKeyedQueue(): <T>(name: string, run: () => Promise<T>) => Promise<T> {
  const tails = new Map<string, Promise<unknown>>();
  return async (name, run) => {
    const queued = (tails.get(name) ?? Promise.resolve()).then(run, run);
    tails.set(name, queued);
    try {
      return await queued;
    } finally {
      if (tails.get(name) === queued) tails.delete(name);
    }
  };
}
