import type { BigIntStats } from "node:fs";
import { lstat, mkdir, readlink } from "node:fs/promises";
import { type FilePolicy, isProtected, resolveLink, resolvePath } from "../../policy/files.ts";
import { type Directory, openRoot } from "./directory.ts";
import { fileError, systemErrorCode, withFileErrors } from "./file_errors.ts";

/** Where a path has led. */
export interface ResolvedPath {
  /** The folder that holds it, or the root itself. */
  readonly directory: Directory;
  /** Its name in that folder; empty for the root. */
  readonly name: string;
  /** The way to it from the root, without links: one file has one such path. */
  readonly path: string;
  /** What is there; nothing if nothing is. */
  readonly stat: BigIntStats | undefined;
}

/** Where is looked, and what for. */
export interface ResolveOptions {
  policy: FilePolicy;
  descriptors: boolean;
  /** What is to be done, for the sentence that says that it cannot be. */
  action: string;
  /** Whether it will be written: then it must not be protected. */
  write?: boolean;
  /** Asked before folders that are missing on the way are made; it throws if they shall not be. */
  beforeCreate?(): void;
}

/** How many links may lead from one to the next. */
const MAX_LINKS = 16;

/**
 * Walks to a path and does something there. Links are never followed by the system, but read, and walked to from
 * the root again if they stay inside.
 *
 * @throws {ToolError} if it leads out of the workspace, or is protected and to be written.
 */
export async function withResolvedPath<T>(
  path: string,
  { policy, descriptors, action, write = false, beforeCreate }: ResolveOptions,
  use: (place: ResolvedPath) => Promise<T>,
): Promise<T> {
  return withFileErrors(action, path, async () => {
    let segments = resolvePath(path, policy);
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      if (write && isProtected(segments, policy)) {
        throw fileError(action, path, "files of that name are protected, for other programs act on them");
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
      if (target === undefined) throw fileError(action, path, "a link leads out of the workspace");
      segments = [...target, ...step.rest];
    }
    throw fileError(action, path, "too many links lead to it");
  });
}

/** A link on the way. */
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
    // Another call has made it in the meantime.
    if (systemErrorCode(error) !== "EEXIST") throw error;
  }
}
