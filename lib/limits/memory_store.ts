import { type Draw, drawn, fits, lifeOf, type Meter, type Use, usedAt } from "./quota.ts";
import type { SpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** What a {@linkcode createMemoryStore} may be given. */
export interface MemoryStoreOptions {
  /** How many meters are remembered. */
  most?: number;
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
export function createMemoryStore({ most = 10_000, file }: MemoryStoreOptions = {}): MemoryStore {
  /** By the meter's name; the one that was used longest ago stands first. */
  const entries = new Map<string, Entry>();
  for (const [name, { usd, until }] of file?.kept ?? []) entries.set(name, { used: usd, at: 0, until });

  function look(meter: Meter, now: number): number {
    return usedAt(meter, entries.get(meter.name) ?? UNUSED, now);
  }

  function apply(draws: readonly Draw[], now: number): void {
    for (const { meter, amount } of draws) {
      const { used, at } = drawn(meter, entries.get(meter.name) ?? UNUSED, { amount, now });
      entries.delete(meter.name);
      const until = at + (lifeOf(meter, used, at) ?? Infinity);
      if (used > 0) entries.set(meter.name, { used, at, until });
    }
    if (entries.size > most) forget(now);
  }

  /** Forgets more than it has to, so that not every request looks through all meters. */
  function forget(now: number): void {
    for (const [name, { until }] of entries) {
      if (until <= now) entries.delete(name);
    }
    for (const name of entries.keys()) {
      if (entries.size <= most * 0.9) return;
      if (name.startsWith("session/")) entries.delete(name);
    }
  }

  return {
    get size() {
      return entries.size;
    },
    draw(draws, now) {
      const fitting = draws.every(({ meter, amount }) => fits(meter, look(meter, now), amount));
      if (fitting) apply(draws, now);
      return Promise.resolve({ fits: fitting, used: draws.map(({ meter }) => look(meter, now)) });
    },
    record(draws, now) {
      apply(draws, now);
      file?.append(draws, now);
    },
  };
}

/** A use, and the moment from which nothing of it is left. */
type Entry = Use & { until: number };

const UNUSED: Use = { used: 0, at: 0 };
