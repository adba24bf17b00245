import type { BigIntStats } from "node:fs";
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { systemErrorCode } from "../files/file_errors.ts";

/** What a protected path is at one time. */
export interface Identity {
  path: string;
  kind: "file" | "folder" | "link" | "other";
  /** Device and number of the file, and of the folder that contains it. */
  file: string;
  parent: string;
  /** Changes with every change of a file that has several names. Empty for other files. */
  version: string;
  /** Of a link: its target as written, the path to which it leads if that exists, and the file there. */
  target?: string;
  leadsTo?: string;
  leadsToFile?: string;
}

/** Returns the identity of a path; undefined if it does not exist. */
export async function identify(path: string): Promise<Identity | undefined> {
  try {
    const [found, parent] = await Promise.all([
      lstat(path, { bigint: true }),
      lstat(dirname(path), { bigint: true }),
    ]);
    return {
      path,
      kind: found.isSymbolicLink()
        ? "link"
        : found.isDirectory()
        ? "folder"
        : found.isFile()
        ? "file"
        : "other",
      file: toFileId(found),
      parent: toFileId(parent),
      version: toVersion(found),
      ...(found.isSymbolicLink() && { target: await readlink(path), ...await followLink(path) }),
    };
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function followLink(path: string): Promise<Pick<Identity, "leadsTo" | "leadsToFile">> {
  try {
    const found = await stat(path, { bigint: true });
    return { leadsTo: await realpath(path), leadsToFile: `${toFileId(found)} ${toVersion(found)}` };
  } catch (error) {
    if (isMissing(error) || systemErrorCode(error) === "ELOOP") return {};
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(systemErrorCode(error) ?? "");
}

function toFileId({ dev, ino }: BigIntStats): string {
  return `${dev}:${ino}`;
}

function toVersion(found: BigIntStats): string {
  return found.isFile() && found.nlink > 1n ? `${found.size} ${found.ctimeNs}` : "";
}
