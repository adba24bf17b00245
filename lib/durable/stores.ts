import { logWarning } from "../observability/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { type AnswerStore, createAnswerStore } from "./answer_store.ts";
import { type BatchQueue, createBatchQueue } from "./batch_queue.ts";
import { type BatchStore, createBatchStore } from "./batch_store.ts";
import { openDataDir } from "./data_dir.ts";
import { createDataDirCheck, type DataDirCheck } from "./data_dir_check.ts";
import { createFileStore, type FileStore } from "./file_store.ts";
import { createStepStore, type StepStore } from "./step_store.ts";
import { createDiskUsage, type DiskUsage } from "./usage.ts";

/** What is kept in `DATA_DIR`. */
export interface Stores {
  readonly answers: AnswerStore;
  readonly batches: BatchStore;
  readonly queue: BatchQueue;
  readonly steps: StepStore;
  readonly files: FileStore;
  readonly usage: DiskUsage;
  readonly check: DataDirCheck;
  /** Closes the database. What this gateway has begun and not ended is then free for others. */
  close(): void;
}

/** Time between two removals of what is too old, in milliseconds. */
const SWEEP_MS = 5000;

/**
 * Opens the stores of `DATA_DIR`.
 *
 * @throws {ConfigError} if the folder cannot be used, or if the runtime has no SQLite.
 */
export function openStores(
  folder: string,
  { clock, newId, quotaMiB }: { clock: Clock; newId(prefix: string): string; quotaMiB: number },
): Stores {
  const dataDir = openDataDir(folder, { newId });
  const answers = createAnswerStore(dataDir, { newId });
  const batches = createBatchStore(dataDir);
  const files = createFileStore(dataDir);
  const sweep = () => {
    try {
      answers.removeOld(clock.now());
      batches.removeOld(clock.now());
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
    batches,
    files,
    steps: createStepStore(dataDir),
    queue: createBatchQueue(dataDir),
    usage: createDiskUsage(dataDir, { quotaMiB }),
    check: createDataDirCheck(dataDir, clock),
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
