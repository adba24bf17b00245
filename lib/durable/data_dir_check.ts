import type { Clock } from "../runtime/clock.ts";
import { type DataDir, describeDatabaseError } from "./data_dir.ts";

/** State of `DATA_DIR`. */
export interface DataDirState {
  /** Why it cannot be written; undefined if it can. */
  failure: string | undefined;
  /** Bytes of its database and of the files of clients; undefined if they cannot be read. */
  bytes: number | undefined;
}

/** Checks `DATA_DIR`, and remembers the result for a while. */
export interface DataDirCheck {
  run(): DataDirState;
}

/** Time for which a result is used again: each check writes to the disk. */
const FRESH_MS = 30_000;

/** Creates the check of an opened folder. */
export function createDataDirCheck({ database }: DataDir, clock: Pick<Clock, "now">): DataDirCheck {
  let last: { state: DataDirState; at: number } | undefined;
  return {
    run() {
      const at = clock.now();
      if (last === undefined || at - last.at >= FRESH_MS) last = { state: checkDatabase(database), at };
      return last.state;
    },
  };
}

/** Writes a row and removes it, in one transaction, and reads the size. */
export function checkDatabase(database: DataDir["database"]): DataDirState {
  try {
    database.transaction(() => {
      database.run("INSERT OR REPLACE INTO steps (run, name) VALUES ('check', 'write')");
      database.run("DELETE FROM steps WHERE run = 'check'");
    });
    return { failure: undefined, bytes: Number(database.get(BYTES)?.bytes) };
  } catch (error) {
    return { failure: describeDatabaseError(error), bytes: undefined };
  }
}

const BYTES = `SELECT
  (SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) +
  (SELECT coalesce(sum(bytes), 0) FROM files) AS bytes`;
