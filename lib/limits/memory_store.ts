import { addUse, type Charge, fits, msUntilUnused, type Quota, type QuotaUse, usedAt } from "./quota.ts";
import type { SpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** Options of {@linkcode createMemoryStore}. */
export interface MemoryStoreOptions {
  /** Maximum number of quotas kept. */
  maxQuotas?: number;
  /** File that keeps cost across restarts. */
  file?: SpendFile | undefined;
}

/** A store in memory; `size` is its number of quotas. */
export interface MemoryStore extends LimitStore {
  readonly size: number;
}

/**
 * Creates a store in the memory of this process.
 *
 * Beyond `maxQuotas`, quotas without use are evicted, then the least recently used sessions. Quotas of keys are kept:
 * the operator limits the number of keys, but clients choose the number of sessions.
 */
export function createMemoryStore({ maxQuotas = 10_000, file }: MemoryStoreOptions = {}): MemoryStore {
  /** By quota name; the least recently used is first. */
  const entries = new Map<string, Entry>();
  for (const [name, { usd, until }] of file?.loaded ?? []) entries.set(name, { used: usd, at: 0, until });

  function currentUse(quota: Quota, now: number): number {
    return usedAt(quota, entries.get(quota.name) ?? UNUSED, now);
  }

  function apply(charges: readonly Charge[], now: number): void {
    for (const { quota, amount } of charges) {
      const { used, at } = addUse(quota, entries.get(quota.name) ?? UNUSED, { amount, now });
      entries.delete(quota.name);
      const until = at + (msUntilUnused(quota, used, at) ?? Infinity);
      if (used > 0) entries.set(quota.name, { used, at, until });
    }
    if (entries.size > maxQuotas) evict(now);
  }

  /** Evicts down to 90 % of the maximum, so that not every request iterates over all quotas. */
  function evict(now: number): void {
    for (const [name, { until }] of entries) {
      if (until <= now) entries.delete(name);
    }
    for (const name of entries.keys()) {
      if (entries.size <= maxQuotas * 0.9) return;
      if (name.startsWith("session/")) entries.delete(name);
    }
  }

  return {
    get size() {
      return entries.size;
    },
    charge(charges, now) {
      const allFit = charges.every(({ quota, amount }) => fits(quota, currentUse(quota, now), amount));
      if (allFit) apply(charges, now);
      return Promise.resolve({ fits: allFit, used: charges.map(({ quota }) => currentUse(quota, now)) });
    },
    record(charges, now) {
      apply(charges, now);
      file?.append(charges, now);
    },
  };
}

/** Use of a quota, and the time from which none is left, in milliseconds since 1970. */
type Entry = QuotaUse & { until: number };

const UNUSED: QuotaUse = { used: 0, at: 0 };
