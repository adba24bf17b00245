import { randomBytes } from "node:crypto";
import { mkdir, readFile, rmdir, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";
import type { ShellLimits } from "../policy/shell.ts";
import { systemErrorCode } from "./files/file_errors.ts";

/** Control group of one command. The kernel enforces its limits on all processes together. */
export interface CommandCgroup {
  /** File that a process writes its id to, to join the group. */
  procs: string;
  /** Kills the remaining processes and removes the group. */
  remove(): Promise<void>;
}

/** The limits of a command that a control group enforces. */
type CgroupLimits = Pick<ShellLimits, "memoryBytes" | "tmpBytes" | "processes">;

/** Files of the kernel; replaced in tests. */
export interface CgroupFiles {
  read(path: string): Promise<string>;
  /** Fails with `ENOENT` if the kernel has no such file. */
  write(path: string, text: string): Promise<void>;
  mkdir(path: string): Promise<void>;
  rmdir(path: string): Promise<void>;
}

const SYSTEM_FILES: CgroupFiles = {
  read: (path) => readFile(path, "utf8"),
  write: (path, text) => writeFile(path, text, { flag: "r+" }),
  mkdir: async (path) => void await mkdir(path),
  rmdir,
};

/** Mount of the unified hierarchy, and the file with the group of this process. */
const MOUNT = "/sys/fs/cgroup";
const SELF = "/proc/self/cgroup";

/** Number of processes of the sandbox itself: bubblewrap, the guard and its helpers. */
const SANDBOX_PROCESSES = 16;

/** Attempts to remove a group whose processes take a moment to disappear. */
const REMOVE_ATTEMPTS = 10;
const REMOVE_WAIT_MS = 20;

/**
 * Returns a function that creates a control group for a command; undefined where the operator has delegated none.
 *
 * The group above that of the gateway is used, because a group with processes cannot have limited subgroups. systemd
 * arranges this with `Delegate=memory pids` and `DelegateSubgroup=gateway`. Slices are not used: they belong to
 * systemd.
 *
 * Source: https://docs.kernel.org/admin-guide/cgroup-v2.html, https://systemd.io/CGROUP_DELEGATION
 */
export async function findCgroup(
  limits: CgroupLimits,
  files: CgroupFiles = SYSTEM_FILES,
): Promise<(() => Promise<CommandCgroup>) | undefined> {
  try {
    const [, own = "/"] = /^0::(\/.*)$/m.exec(await files.read(SELF)) ?? [];
    const parent = join(MOUNT, dirname(own));
    if (own === "/" || basename(parent).endsWith(".slice")) return undefined;
    await enableControllers(parent, files);
    const create = () => createCgroup(parent, limits, files);
    // A first group shows whether its limits can be set.
    await (await create()).remove();
    return create;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

async function enableControllers(parent: string, { read, write }: CgroupFiles): Promise<void> {
  const file = join(parent, "cgroup.subtree_control");
  const enabled = (await read(file)).split(/\s+/);
  const missing = ["memory", "pids"].filter((controller) => !enabled.includes(controller));
  if (missing.length > 0) await write(file, missing.map((controller) => `+${controller}`).join(" "));
}

async function createCgroup(
  parent: string,
  { memoryBytes, tmpBytes, processes }: CgroupLimits,
  files: CgroupFiles,
): Promise<CommandCgroup> {
  const folder = join(parent, `command-${randomBytes(6).toString("hex")}`);
  await files.mkdir(folder);
  const cgroup = { procs: join(folder, "cgroup.procs"), remove: () => removeCgroup(folder, files) };
  try {
    // `/tmp` and `/dev/shm` are memory of the group too.
    await files.write(join(folder, "memory.max"), String(memoryBytes + 2 * tmpBytes));
    await files.write(join(folder, "pids.max"), String(processes + SANDBOX_PROCESSES));
    await files.write(join(folder, "memory.swap.max"), "0").catch(ignoreMissing);
    return cgroup;
  } catch (error) {
    await cgroup.remove();
    throw error;
  }
}

async function removeCgroup(folder: string, files: CgroupFiles): Promise<void> {
  await files.write(join(folder, "cgroup.kill"), "1").catch(ignoreMissing);
  for (let attempt = 1;; attempt += 1) {
    try {
      return await files.rmdir(folder);
    } catch (error) {
      if (systemErrorCode(error) !== "EBUSY" || attempt === REMOVE_ATTEMPTS) throw error;
      await setTimeout(REMOVE_WAIT_MS);
    }
  }
}

/** A kernel without swap accounting, or before 5.14, lacks the file. */
function ignoreMissing(error: unknown): void {
  if (systemErrorCode(error) !== "ENOENT") throw error;
}
