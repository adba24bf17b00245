import { StoreError } from "../base/store_error.ts";
import type { Clock } from "../runtime/clock.ts";
import { describeFileError } from "../runtime/file_errors.ts";
import type { DataStore } from "./data_store.ts";

/** State of `DATA_DIR` or `DATA_URL`. */
export interface DataDirState {
  /** Why it cannot be written; undefined if it can. */
  failure: string | undefined;
  /** Bytes of its database and of the files of clients; undefined if they cannot be read. */
  bytes: number | undefined;
}

/** Checks the store, and remembers the result for a while. */
export interface DataDirCheck {
  run(): Promise<DataDirState>;
}

/** Time for which a result is used again: each check writes to the disk. */
const FRESH_MS = 30_000;

/** Creates the check of an opened store. */
export function createDataDirCheck(store: DataStore, clock: Pick<Clock, "now">): DataDirCheck {
  let last: { state: Promise<DataDirState>; at: number } | undefined;
  return {
    run() {
      const at = clock.now();
      if (last === undefined || at - last.at >= FRESH_MS) last = { state: checkDatabase(store), at };
      return last.state;
    },
  };
}

/** Writes a row and removes it, in one transaction, and reads the size. */
export async function checkDatabase(
  { database, sizeSql }: Pick<DataStore, "database" | "sizeSql">,
): Promise<DataDirState> {
  try {
    await database.transaction(async (queries) => {
      await queries.run("INSERT INTO steps (run, name) VALUES ('check', 'write') ON CONFLICT DO NOTHING");
      await queries.run("DELETE FROM steps WHERE run = 'check'");
    });
    const row = await database.get(`SELECT ${sizeSql} AS bytes`);
    return { failure: undefined, bytes: Number(row?.bytes) };
  } catch (error) {
    return { failure: toFailure(error), bytes: undefined };
  }
}

function toFailure(error: unknown): string {
  return error instanceof StoreError ? error.reason : describeFileError(error);
}
