import type { BigIntStats } from "node:fs";
import { lstat, mkdir, readlink } from "node:fs/promises";
import { type FilePolicy, follow, isProtected, locate } from "../../policy/files.ts";
import { type Directory, openRoot } from "./directory.ts";
import { attempt, codeOf, refuse } from "./file_errors.ts";

/** Where a path has led. */
export interface Place {
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
export interface FindOptions {
  policy: FilePolicy;
  descriptors: boolean;
  /** What is to be done, for the sentence that says that it cannot be. */
  action: string;
  /** Whether it will be written: then it must not be protected. */
  write?: boolean;
  /** Asked before folders that are missing on the way are made; it throws if they shall not be. */
  create?(): void;
}

/** How many links may lead from one to the next. */
const MAX_LINKS = 16;

/**
 * Walks to a path and does something there. Links are never followed by the system, but read, and walked to from
 * the root again if they stay inside.
 *
 * @throws {ToolError} if it leads out of the workspace, or is protected and to be written.
 */
export async function find<T>(
  path: string,
  { policy, descriptors, action, write = false, create }: FindOptions,
  use: (place: Place) => Promise<T>,
): Promise<T> {
  return attempt(action, path, async () => {
    let segments = locate(path, policy);
    for (let links = 0; links <= MAX_LINKS; links += 1) {
      if (write && isProtected(segments, policy)) {
        throw refuse(action, path, "files of that name are protected, for other programs act on them");
      }
      const step = await walk(segments, { root: () => openRoot(policy.root, descriptors), create });
      if ("directory" in step) {
        try {
          return await use(step);
        } finally {
          await step.directory.close();
        }
      }
      const target = follow(step.folder, step.target, policy);
      if (target === undefined) throw refuse(action, path, "a link leads out of the workspace");
      segments = [...target, ...step.rest];
    }
    throw refuse(action, path, "too many links lead to it");
  });
}

/** A link on the way. */
interface Link {
  folder: readonly string[];
  target: string;
  rest: readonly string[];
}

async function walk(
  segments: readonly string[],
  { root, create }: { root: () => Promise<Directory>; create: (() => void) | undefined },
): Promise<Place | Link> {
  let directory = await root();
  try {
    for (const [index, name] of segments.entries()) {
      const stat = await directory.look(name);
      if (stat?.isSymbolicLink()) {
        const target = await readlink(directory.at(name));
        await directory.close();
        return { folder: directory.path, target, rest: segments.slice(index + 1) };
      }
      if (index === segments.length - 1) return { directory, name, path: segments.join("/"), stat };
      if (stat === undefined && create !== undefined) {
        create();
        await makeFolder(directory, name);
      }
      const next = await directory.enter(name);
      await directory.close();
      directory = next;
    }
  } catch (error) {
    await directory.close();
    throw error;
  }
  return { directory, name: "", path: "", stat: await lstat(directory.at(), { bigint: true }) };
}

async function makeFolder(directory: Directory, name: string): Promise<void> {
  try {
    await mkdir(directory.at(name));
  } catch (error) {
    // Another call has made it in the meantime.
    if (codeOf(error) !== "EEXIST") throw error;
  }
}
