import { logWarning } from "../observability/log.ts";
import type { Clock } from "../runtime/clock.ts";
import { keyStoreError } from "./record_cache.ts";
import type { RecordStore } from "./record_store.ts";

/** Time between a use and its writing, in milliseconds: one write for each request would be too many. */
const WRITE_DELAY_MS = 10_000;

/** When keys were used last. */
export interface LastUses {
  /** Notes that a key is used now. It is written later, not while the request waits. */
  touch(name: string): void;
  /** Returns the last use of each key, in milliseconds since 1970. @throws {ApiError} `overloaded_error` */
  read(): Promise<ReadonlyMap<string, number>>;
  /** Removes the use of a key. @throws if the store cannot be reached. */
  remove(name: string): Promise<void>;
  /** Writes what has not been written. A failure is logged, and the next use tries again. */
  write(): Promise<void>;
}

/** Options of {@linkcode createLastUses}. */
export interface LastUsesOptions {
  store: RecordStore;
  clock: Clock;
  /** True if the store outlives the process. Otherwise nothing is written. */
  persistent: boolean;
}

/** Creates the last uses of a gateway's keys. */
export function createLastUses({ store, clock, persistent }: LastUsesOptions): LastUses {
  const uses = new Map<string, number>();
  let unwritten = new Set<string>();
  let cancel: (() => void) | undefined;

  async function write(): Promise<void> {
    cancel?.();
    cancel = undefined;
    if (unwritten.size === 0) return;
    const written = unwritten;
    unwritten = new Set();
    try {
      await store.addUses(new Map([...uses].filter(([name]) => written.has(name))));
    } catch (error) {
      for (const name of written) unwritten.add(name);
      logWarning("last use of keys not written, trying again with the next use", { error });
    }
  }

  return {
    touch(name) {
      uses.set(name, clock.now());
      if (!persistent) return;
      unwritten.add(name);
      cancel ??= clock.after(WRITE_DELAY_MS, () => void write());
    },
    async read() {
      const stored = await store.readUses().catch((cause) => {
        throw keyStoreError(cause);
      });
      const merged = new Map(stored);
      for (const [name, at] of uses) merged.set(name, Math.max(at, merged.get(name) ?? 0));
      return merged;
    },
    async remove(name) {
      uses.delete(name);
      unwritten.delete(name);
      await store.removeUse(name);
    },
    write,
  };
}
