import { logWarning } from "../observability/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { type AnswerStore, createAnswerStore } from "./answer_store.ts";
import { openDataDir } from "./data_dir.ts";

/** What is kept in `DATA_DIR`. */
export interface Stores {
  readonly answers: AnswerStore;
  /** Closes the database. What this gateway has begun and not ended is then free for others. */
  close(): void;
}

/** Time between two removals of what is too old, in milliseconds. */
const SWEEP_MS = 60_000;

/**
 * Opens the stores of `DATA_DIR`.
 *
 * @throws {ConfigError} if the folder cannot be used, or if the runtime has no SQLite.
 */
export function openStores(
  folder: string,
  { clock, newId }: { clock: Clock; newId(prefix: string): string },
): Stores {
  const dataDir = openDataDir(folder, { newId });
  const answers = createAnswerStore(dataDir, { newId });
  const sweep = () => {
    try {
      answers.removeOld(clock.now());
      dataDir.database.exec(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`);
    } catch (error) {
      logWarning("old entries in DATA_DIR not removed", { error });
    }
  };
  sweep();
  const cancelSweep = clock.every(SWEEP_MS, sweep);
  let closed = false;
  return {
    answers,
    close() {
      if (closed) return;
      closed = true;
      cancelSweep();
      dataDir.close();
    },
  };
}

/** Pages that are returned to the disk at once: more would hold up the requests. */
const VACUUM_PAGES = 2000;
