import { ApiError } from "../base/errors.ts";
import { logWarning } from "../observability/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { toStoreError } from "../runtime/stores/redis_errors.ts";
import { isStoredKey, parseRecord, type Records, type SignIn, type StoredKey } from "./records.ts";
import type { RecordStore } from "./record_store.ts";

/** Time after which the records are read again: other gateways may have changed them. */
const MAX_AGE_MS = 1000;

/** The records of a store, in memory. */
export interface RecordCache {
  /** The records as last read. */
  readonly last: Records;
  /**
   * Returns the records, at most a second old. With `stale`, the last ones if the store cannot be reached any more.
   *
   * @throws {ApiError} the error of {@linkcode keyStoreError}.
   */
  read(options?: { stale?: boolean }): Promise<Records>;
  /** Changes the store, then reads it. @throws {ApiError} the error of {@linkcode keyStoreError}. */
  change<Result>(change: (store: RecordStore) => Promise<Result>): Promise<Result>;
}

/** Creates a cache, which is empty until it is read. */
export function createRecordCache(store: RecordStore, clock: Clock): RecordCache {
  let records: Records = { keys: new Map(), keysByDigest: new Map(), signIns: new Map() };
  /** The records, for those who read them while they are new enough. */
  let current = Promise.resolve(records);
  let parsed = new Map<string, { text: string; record: StoredKey | SignIn | undefined }>();
  let readAt = -Infinity;
  let wasRead = false;
  /** Number of changes. What was read during a change may be older than the change. */
  let changes = 0;
  let reading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const before = changes;
    const startedAt = clock.now();
    const texts = await store.read();
    if (changes !== before) return;
    parsed = new Map(
      [...texts].map(([name, text]) => {
        const known = parsed.get(name);
        return [name, known?.text === text ? known : { text, record: parse(name, text) }];
      }),
    );
    const all = [...parsed.values()].flatMap(({ record }) => record === undefined ? [] : [record]);
    const keys = all.filter(isStoredKey);
    records = {
      keys: new Map(keys.map((key) => [key.name, key])),
      keysByDigest: new Map(keys.map((key) => [key.sha256, key])),
      signIns: new Map(all.flatMap((record) => isStoredKey(record) ? [] : [[record.sha256, record]])),
    };
    current = Promise.resolve(records);
    readAt = startedAt;
    wasRead = true;
  }

  /** True if the records are to be read again. The clock of the system may be set back. */
  function areOld(): boolean {
    return Math.abs(clock.now() - readAt) >= MAX_AGE_MS;
  }

  async function refresh(): Promise<void> {
    while (areOld()) {
      reading ??= load().finally(() => reading = undefined);
      await reading;
    }
  }

  async function readAgain({ stale = false }: { stale?: boolean }): Promise<Records> {
    try {
      await refresh();
    } catch (cause) {
      if (!stale || !wasRead) throw keyStoreError(cause);
    }
    return records;
  }

  return {
    get last() {
      return records;
    },
    read: (options = {}) => areOld() ? readAgain(options) : current,
    async change(change) {
      try {
        return await change(store);
      } catch (cause) {
        throw cause instanceof ApiError ? cause : keyStoreError(cause);
      } finally {
        changes++;
        readAt = -Infinity;
        // A failure shows with the next use.
        await refresh().catch(() => {});
      }
    },
  };
}

function parse(name: string, text: string): StoredKey | SignIn | undefined {
  const record = parseRecord(name, text);
  if (record === undefined) logWarning("damaged record in the key store, not used", { record: name });
  return record;
}

/** Returns the error for a store that cannot be reached, `overloaded_error`, or is full or read-only, `api_error`. */
export function keyStoreError(cause: unknown): ApiError {
  return toStoreError("key store", { task: "check keys", cause });
}
