import { createPrivateFile, listFolder, pathExists, removeFile } from "../runtime/private_folder.ts";
import { type Database, openDatabase } from "../runtime/sqlite.ts";
import type { Queries } from "./database.ts";

/** The gateways that share a store. */
export interface Instances {
  /** Id of this gateway, new with each start. */
  readonly own: string;
  /** True while the process of a gateway runs; false from its end on, also after `kill -9`. */
  isAlive(id: string, queries: Queries): Promise<boolean>;
}

/** The gateways that share a `DATA_DIR`. */
export interface FolderInstances extends Instances {
  /** Ends the membership. */
  leave(): void;
}

/**
 * Joins the gateways that share a folder.
 *
 * Each gateway holds the exclusive lock of a file for its lifetime. The operating system releases it when the process
 * ends, so that no clock and no heartbeat decides whether a gateway is alive.
 */
export function joinInstances(
  folder: string,
  { newId }: { newId(prefix: string): string },
): FolderInstances {
  const own = newId("gateway_");
  const toPath = (id: string) => `${folder}/${id}.lock`;
  const lock = holdLock(toPath(own));
  for (const name of listFolder(folder).filter((entry) => entry.endsWith(".lock"))) {
    isLocked(name.slice(0, -5));
  }

  function isLocked(id: string): boolean {
    if (id === own) return true;
    const path = toPath(id);
    if (!pathExists(path)) return false;
    const probe = openDatabase(path);
    try {
      probe.exec("PRAGMA busy_timeout = 0");
      probe.exec("BEGIN EXCLUSIVE");
      removeFile(path); // while it is locked, so that no other gateway takes it for its own
      return false;
    } catch (error) {
      if (isBusy(error)) return true;
      throw error;
    } finally {
      probe.close();
    }
  }

  return {
    own,
    isAlive: async (id) => isLocked(id),
    leave() {
      removeFile(toPath(own));
      lock.close();
    },
  };
}

/** Creates a file and takes its lock. Another gateway may remove the file before the lock is taken. */
function holdLock(path: string): Database {
  for (let attempt = 1; attempt <= MAX_ATTEMPTS; attempt++) {
    createPrivateFile(path);
    const lock = openDatabase(path);
    lock.exec(`PRAGMA busy_timeout = ${LOCK_TIMEOUT_MS}`);
    lock.exec("BEGIN EXCLUSIVE");
    if (pathExists(path)) return lock;
    lock.close();
  }
  throw new Error(`Cannot lock "${path}": it is removed each time`);
}

const MAX_ATTEMPTS = 10;
const LOCK_TIMEOUT_MS = 1000;

function isBusy(error: unknown): boolean {
  return error instanceof Error && /locked|busy/i.test(error.message);
}
