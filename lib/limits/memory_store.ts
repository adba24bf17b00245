import { addUse, type Charge, fits, msUntilUnused, type Quota, type QuotaUse, usedAt } from "./quota.ts";
import type { SpendFile } from "./spend_file.ts";
import type { ChargeResult, LimitStore } from "./store.ts";

/** Options of {@linkcode createMemoryStore}. */
export interface MemoryStoreOptions {
  /** Maximum number of quotas kept for the sessions of one key. */
  maxSessionQuotas?: number;
  /** File that keeps cost across restarts. */
  file?: SpendFile | undefined;
}

/** A store in memory; `size` is its number of quotas. */
export interface MemoryStore extends LimitStore {
  readonly size: number;
  charge(charges: readonly Charge[], now: number): ChargeResult;
}

/**
 * Creates a store in the memory of this process.
 *
 * Quotas of keys and of the gateway are kept while they have use: the operator limits the number of keys. Clients
 * choose the number of sessions. Beyond `maxSessionQuotas` of one key, its sessions without use are evicted, then its
 * least recently used ones; those of other keys are not.
 */
export function createMemoryStore(
  { maxSessionQuotas = 5000, file }: MemoryStoreOptions = {},
): MemoryStore {
  const operatorQuotas: Entries = new Map();
  /** By key: the quotas of its sessions. */
  const sessionQuotas = new Map<string, Entries>();
  let unusedCheckedAt = UNUSED_CHECK_SIZE;
  for (const [name, { usd, until }] of file?.loaded ?? []) {
    entriesOf(name).set(name, { used: usd, at: 0, until });
  }

  function entriesOf(name: string): Entries {
    const owner = name.startsWith("session/") ? SESSION_OWNER.exec(name)?.[0] : undefined;
    if (owner === undefined) return operatorQuotas;
    const entries: Entries = sessionQuotas.get(owner) ?? new Map();
    sessionQuotas.set(owner, entries);
    return entries;
  }

  function currentUse(quota: Quota, now: number): number {
    return usedAt(quota, entriesOf(quota.name).get(quota.name) ?? UNUSED, now);
  }

  function apply(charges: readonly Charge[], now: number): void {
    for (const { quota, amount } of charges) {
      const entries = entriesOf(quota.name);
      const { used, at } = addUse(quota, entries.get(quota.name) ?? UNUSED, { amount, now });
      // Deleted first, a quota comes last: sessions are evicted by their last use.
      if (used === 0 || entries !== operatorQuotas) entries.delete(quota.name);
      const until = at + (msUntilUnused(quota, used, at) ?? Infinity);
      if (used > 0) entries.set(quota.name, { used, at, until });
      if (entries !== operatorQuotas && entries.size > maxSessionQuotas) evict(entries, now);
    }
    if (operatorQuotas.size > unusedCheckedAt) {
      removeUnused(operatorQuotas, now);
      unusedCheckedAt = Math.max(UNUSED_CHECK_SIZE, operatorQuotas.size * 2);
    }
  }

  /** Evicts down to 90 % of the maximum, so that not every request iterates over all quotas. */
  function evict(entries: Entries, now: number): void {
    removeUnused(entries, now);
    for (const name of entries.keys()) {
      if (entries.size <= maxSessionQuotas * 0.9) return;
      entries.delete(name);
    }
  }

  return {
    get size() {
      return [operatorQuotas, ...sessionQuotas.values()].reduce((sum, { size }) => sum + size, 0);
    },
    charge(charges, now) {
      const allFit = charges.every(({ quota, amount }) => fits(quota, currentUse(quota, now), amount));
      if (allFit) apply(charges, now);
      return { fits: allFit, used: charges.map(({ quota }) => currentUse(quota, now)) };
    },
    record(charges, now) {
      apply(charges, now);
      file?.append(charges, now);
    },
    settle: () => Promise.resolve(),
  };
}

function removeUnused(entries: Entries, now: number): void {
  for (const [name, { until }] of entries) {
    if (until <= now) entries.delete(name);
  }
}

/** The part of a quota's name that the sessions of one key share. */
const SESSION_OWNER = /^session\/[^/]*\//;

/** Quotas of keys above which those without use are removed. Such remain of periods that have ended. */
const UNUSED_CHECK_SIZE = 1000;

/** Use of a quota, and the time from which none is left, in milliseconds since 1970. */
type Entry = QuotaUse & { until: number };

/** By quota name; of sessions, the least recently used is first. */
type Entries = Map<string, Entry>;

const UNUSED: QuotaUse = { used: 0, at: 0 };
