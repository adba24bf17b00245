import type { BigIntStats } from "node:fs";
import { lstat, mkdir, readlink } from "node:fs/promises";
import { type FilePolicy, isProtected, resolveLink, resolvePath } from "../../policy/files.ts";
import { isNamedByGit } from "../protection/git_paths.ts";
import { type Directory, openRoot } from "./directory.ts";
import { fileError, systemErrorCode, withFileErrors } from "./file_errors.ts";

/** A path that was resolved in the file system. */
export interface ResolvedPath {
  /** The folder that contains the entry, or the root itself. */
  readonly directory: Directory;
  /** Name in that folder; empty for the root. */
  readonly name: string;
  /** Path relative to the workspace root, without symbolic links. A file has exactly one. */
  readonly path: string;
  /** Status of the entry; undefined if it does not exist. */
  readonly stat: BigIntStats | undefined;
}

/** Options of {@link withResolvedPath}. */
export interface ResolveOptions {
  policy: FilePolicy;
  descriptors: boolean;
  /** Verb for error messages: `Cannot <action> "<path>"`. */
  action: string;
  /** True if the entry will be written. Protected paths are then rejected. */
  write?: boolean;
  /** Enables the creation of missing folders. Called before each; it may throw to prevent the creation. */
  beforeCreate?(): void;
}

/** Maximum number of links followed for one path. */
const MAX_LINKS = 16;

/**
 * Resolves a path step by step from the root, and calls `use` with the result.
 *
 * The system never follows a link. Its target is read and resolved from the root again, if it is inside the workspace.
 *
 * @throws {ToolError} if the path leads out of the workspace, or is protected and `write` is true.
 */
export async function withResolvedPath<T>(
  path: string,
  { policy, descriptors, action, write = false, beforeCreate }: ResolveOptions,
  use: (resolved: ResolvedPath) => Promise<T>,
): Promise<T> {
  return withFileErrors(action, path, async () => {
    let segments = resolvePath(path, policy);
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      if (write && (isProtected(segments, policy) || await isNamedByGit(policy.root, segments))) {
        throw fileError(action, path, "files of that name are protected, because other programs act on them");
      }
      const step = await walkPath(segments, { root: () => openRoot(policy.root, descriptors), beforeCreate });
      if ("directory" in step) {
        try {
          return await use(step);
        } finally {
          await step.directory.close();
        }
      }
      const target = resolveLink(step.folder, step.target, policy);
      if (target === undefined) throw fileError(action, path, "a link points outside the workspace");
      segments = [...target, ...step.rest];
    }
    throw fileError(action, path, "too many levels of links");
  });
}

/** A link in the path, and the segments after it. */
interface LinkStep {
  folder: readonly string[];
  target: string;
  rest: readonly string[];
}

async function walkPath(
  segments: readonly string[],
  { root, beforeCreate }: { root: () => Promise<Directory>; beforeCreate: (() => void) | undefined },
): Promise<ResolvedPath | LinkStep> {
  let directory = await root();
  try {
    for (const [index, name] of segments.entries()) {
      const stat = await directory.lstat(name);
      if (stat?.isSymbolicLink()) {
        const target = await readlink(directory.pathOf(name));
        await directory.close();
        return { folder: directory.path, target, rest: segments.slice(index + 1) };
      }
      if (index === segments.length - 1) return { directory, name, path: segments.join("/"), stat };
      if (stat === undefined && beforeCreate !== undefined) {
        beforeCreate();
        await createFolder(directory, name);
      }
      const next = await directory.enter(name);
      await directory.close();
      directory = next;
    }
  } catch (error) {
    await directory.close();
    throw error;
  }
  return { directory, name: "", path: "", stat: await lstat(directory.pathOf(), { bigint: true }) };
}

async function createFolder(directory: Directory, name: string): Promise<void> {
  try {
    await mkdir(directory.pathOf(name));
  } catch (error) {
    // EEXIST: another call has created it meanwhile.
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
