import { addUse, type Charge, fits, msUntilUnused, type Quota, type QuotaUse, usedAt } from "./quota.ts";
import type { SpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** What a {@linkcode createMemoryStore} may be given. */
export interface MemoryStoreOptions {
  /** How many meters are remembered. */
  maxQuotas?: number;
  /** Where spend is kept beside the memory. */
  file?: SpendFile | undefined;
}

/** A store whose size can be asked for. */
export interface MemoryStore extends LimitStore {
  readonly size: number;
}

/**
 * Creates a store in the memory of this process.
 *
 * Past a number of meters those are forgotten of which nothing is used any more, then those of the sessions that were
 * heard of longest ago: how many sessions there are, clients decide; how many keys, the owner.
 */
export function createMemoryStore({ maxQuotas = 10_000, file }: MemoryStoreOptions = {}): MemoryStore {
  /** By the meter's name; the one that was used longest ago stands first. */
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

  /** Forgets more than it has to, so that not every request looks through all meters. */
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

/** A use, and the moment from which nothing of it is left. */
type Entry = QuotaUse & { until: number };

const UNUSED: QuotaUse = { used: 0, at: 0 };
