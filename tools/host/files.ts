import { setImmediate } from "node:timers/promises";
import { PdfError, type PdfRequest, type PdfText, readPdf } from "./pdf/read_pdf.ts";
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

/** Path, content and version of a file. */
export interface FileContent {
  /** Path relative to the workspace root, without symbolic links. A file has exactly one. */
  path: string;
  bytes: Uint8Array<ArrayBuffer>;
  /** Hash of the content: equal versions mean equal bytes. */
  version: string;
}

/** Files of the workspace. Paths come from a model: absolute, or relative to the workspace root. */
export interface Files {
  /** Maximum size of a file that is read, in bytes. */
  readonly maxFileBytes: number;
  /**
   * Reads a file.
   *
   * @throws {ToolError} if it does not exist, is not a regular file, is too large or is outside the workspace.
   */
  read(path: string): Promise<FileContent>;
  /**
   * Replaces a file atomically with the result of `change`, and creates missing folders. `change` receives the current
   * file, or undefined if there is none.
   *
   * Writes to the same file run one after another. Each stores the new version in `seen` before the next one starts.
   *
   * @throws {ToolError} if the file may not be written, or another program changes it at the same time.
   * @throws whatever `change` throws; nothing is written then.
   */
  write(
    path: string,
    change: (current: FileContent | undefined) => Uint8Array<ArrayBuffer>,
    seen: Map<string, string>,
  ): Promise<FileContent>;
  /**
   * Lists the entries of a folder that {@link WalkOptions} select, or a single file.
   *
   * @throws {ToolError} if the path does not exist.
   */
  walk(path: string, options: WalkOptions): Promise<WalkResult>;
  /** Uses ripgrep to remove files that cannot contain a match. Returns all paths if ripgrep is not available. */
  prefilter(paths: readonly string[], pattern: SearchPattern): Promise<readonly string[]>;
  /**
   * Reads text of a PDF, in a worker thread.
   *
   * @throws {ToolError} if the file is not a readable PDF, or exceeds a limit.
   */
  readPdf(file: FileContent, request: PdfRequest): Promise<PdfText>;
  /** Yields to the event loop during long work. Throws the abort reason if the call was cancelled. */
  pause(): Promise<void>;
}

/**
 * Creates access to the files of the workspace, within the policy.
 *
 * If `descriptors` is false, folders are identified by path even on systems where they could be kept open.
 */
export function createFiles(
  policy: FilePolicy,
  { descriptors = true }: { descriptors?: boolean } = {},
): (call: { signal: AbortSignal }) => Files {
  const enqueue = createKeyedQueue();
  const access = { policy, descriptors };
  const ripgrepFilter = createRipgrepFilter(policy);

  return ({ signal }) => ({
    maxFileBytes: policy.maxBytes ?? MAX_FILE_BYTES,

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
      if (!policy.write) throw new ToolError(`Cannot write ${quotePath(path)}: the workspace is read-only`);
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
              throw fileError(action, path, "it was replaced by a link during the operation");
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
        { ...access, action: "search" },
        async ({ directory, name, path: canonical, stat }) => {
          if (stat === undefined) throw fileError("search", path, "there is no such file or folder");
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

    async readPdf({ path, bytes }, request) {
      try {
        return await readPdf(bytes, request, signal);
      } catch (cause) {
        throw cause instanceof PdfError
          ? new ToolError(`Cannot read ${quotePath(path)}: ${cause.message}`, { cause })
          : cause;
      }
    },

    async pause() {
      await setImmediate();
      signal.throwIfAborted();
    },
  });
}

function toFileContent(path: string, bytes: Uint8Array<ArrayBuffer>): FileContent {
  return { path, bytes, version: hashContent(bytes) };
}

/**
 * Returns the rules of the `.gitignore` files above a folder. Returns no rules if they ignore the folder itself,
 * because the call names it explicitly.
 */
async function readParentRules(
  path: readonly string[],
  access: { policy: FilePolicy; descriptors: boolean },
  signal: AbortSignal,
): Promise<GitIgnore> {
  let rules = GitIgnore.none;
  for (const depth of path.keys()) {
    const above = path.slice(0, depth);
    // The name `.gitignore` makes `directory` the folder that contains it.
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

/** Runs the functions queued under the same name one after another. */
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
