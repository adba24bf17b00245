import { createRepeatedWarning } from "../observability/repeated_warning.ts";
import type { Clock } from "../runtime/clock.ts";
import { type AnswerStore, createAnswerStore } from "./answer_store.ts";
import { type BatchQueue, createBatchQueue } from "./batch_queue.ts";
import { type BatchStore, createBatchStore } from "./batch_store.ts";
import type { Contents } from "./contents/contents.ts";
import { openDataDir } from "./data_dir.ts";
import { createDataDirCheck, type DataDirCheck } from "./data_dir_check.ts";
import { openDataUrl } from "./postgres/data_url.ts";
import { createFileStore, type FileStore } from "./file_store.ts";
import { createStepStore, type StepStore } from "./step_store.ts";
import { createDiskUsage, type DiskUsage } from "./usage.ts";

/** What outlives a request. */
export interface Stores {
  readonly answers: AnswerStore;
  readonly batches: BatchStore;
  readonly queue: BatchQueue;
  readonly steps: StepStore;
  readonly files: FileStore;
  readonly contents: Contents;
  readonly usage: DiskUsage;
  readonly check: DataDirCheck;
  /** Settles when the stores can be used. @throws {ConfigError} if they cannot. */
  ready(): Promise<void>;
  /** Closes the stores. Other gateways can then take over the work that this one has not ended. */
  close(): Promise<void>;
}

/** Time between two removals of what is too old, in milliseconds. */
const SWEEP_MS = 5000;

/** Options of {@linkcode openStores}. */
export interface StoreOptions {
  dataDir: string | undefined;
  dataUrl: string | undefined;
  clock: Clock;
  newId(prefix: string): string;
  /** Maximum size of the batches and files of each owner, in MiB. */
  quotaMiB: number;
}

/**
 * Opens the stores of `DATA_DIR` or `DATA_URL`. Returns `undefined` without both.
 *
 * @throws {ConfigError} if the folder cannot be used, or if the runtime has no SQLite.
 */
export function openStores(
  { dataDir, dataUrl, clock, newId, quotaMiB }: StoreOptions,
): Stores | undefined {
  const store = dataUrl !== undefined
    ? openDataUrl(dataUrl, { clock })
    : dataDir !== undefined
    ? openDataDir(dataDir, { newId })
    : undefined;
  if (store === undefined) return undefined;
  const answers = createAnswerStore(store, { newId });
  const usage = createDiskUsage(store, { quotaMiB });
  const batches = createBatchStore(store, usage);
  const warn = createRepeatedWarning("old entries not removed", { clock });
  let closed = false;
  let sweeping = false;
  const sweep = async () => {
    if (sweeping) return;
    sweeping = true;
    try {
      await answers.removeOld(clock.now());
      await batches.removeOld(clock.now());
      await store.tidy();
    } catch (error) {
      if (!closed) warn(error);
    }
    sweeping = false;
  };
  void sweep();
  const cancelSweep = clock.every(SWEEP_MS, () => void sweep());
  return {
    answers,
    batches,
    files: createFileStore(store, usage),
    contents: store.contents,
    steps: createStepStore(store),
    queue: createBatchQueue(store),
    usage,
    check: createDataDirCheck(store, clock),
    ready: store.ready,
    async close() {
      if (closed) return;
      closed = true;
      cancelSweep();
      await store.close();
    },
  };
}
