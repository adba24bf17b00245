import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addCounts, costOf, type Counts, NO_COUNTS, toCounts } from "../../../lib/limits/ledger/counts.ts";
import { daysOf, firstKeptDay, KEPT_DAYS, shiftDay, toDay } from "../../../lib/limits/ledger/days.ts";
import type { LedgerEntry } from "../../../lib/limits/ledger/entry.ts";
import type { LedgerReading } from "../../../lib/limits/ledger/ledger.ts";
import type { LedgerBatch, LedgerStore } from "../../../lib/limits/ledger/ledger_store.ts";
import { createMemoryLedger } from "../../../lib/limits/ledger/memory_ledger.ts";
import { createStoredLedger } from "../../../lib/limits/ledger/stored_ledger.ts";
import { type LedgerRow, LedgerTable, OTHER_NAMES } from "../../../lib/limits/ledger/table.ts";
import type { Clock } from "../../../lib/runtime/clock.ts";
import { FakeClock } from "../../kit/clock.ts";
import { captureLog } from "../../kit/log.ts";

const SECOND = 1000;
const DAY = 86_400 * SECOND;
const TOKENS = { input: 3, cacheRead: 5, cacheWrite: 7, output: 11 };

function entry(fields: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    client: "ci",
    model: "openrouter/a/b",
    isFirst: true,
    tokens: TOKENS,
    cost: 0.25,
    usd: 0.25,
    ...fields,
  };
}

/** A store in memory that fails while `isDown`. */
class FakeStore implements LedgerStore {
  readonly place = "disk";
  readonly written: LedgerBatch[] = [];
  isDown = false;
  /** True if a failing write stores its batch nevertheless. */
  writesBeforeFailure = false;
  attempts: string[] = [];

  write(batch: LedgerBatch): Promise<void> {
    this.attempts.push(batch.id);
    const isNew = this.written.every(({ id }) => id !== batch.id);
    if (isNew && (!this.isDown || this.writesBeforeFailure)) this.written.push(batch);
    return this.isDown ? Promise.reject(new Error("down")) : Promise.resolve();
  }

  read(): Promise<LedgerReading> {
    return Promise.resolve({ rows: this.written.flatMap(({ rows }) => rows), since: undefined, damaged: 0 });
  }
}

/** Waits until pending promises have settled. Timers are not needed. */
async function settled(): Promise<void> {
  for (let nth = 0; nth < 20; nth++) await Promise.resolve();
}

function start() {
  const clock = new FakeClock(Date.UTC(2026, 10, 30, 12));
  const store = new FakeStore();
  let batches = 0;
  const ledger = createStoredLedger(store, { clock, newId: (prefix) => `${prefix}${batches++}` });
  return { clock, store, ledger };
}

const TODAY = { from: "2026-11-30", to: "2026-11-30" };

function byModel(rows: readonly LedgerRow[]): Counts[] {
  return rows.filter(({ by }) => by === "model").map(({ counts }) => counts);
}

test("toCounts() counts a cost as reported, by list price or unknown", () => {
  const of = (cost: number | undefined, usd: number | undefined) => {
    const { reported, listed, unpriced } = toCounts({ tokens: TOKENS, cost, usd }, { isFirst: true, now: 1 });
    return [reported, listed, unpriced];
  };
  assert.deepEqual(of(0.5, 0.5), [500_000_000, 0, 0]);
  assert.deepEqual(of(undefined, 0.000_000_001), [0, 1, 0]);
  assert.deepEqual(of(0, 0), [0, 0, 0], "a model may be free");
  assert.deepEqual(of(undefined, undefined), [0, 0, 1]);
  assert.deepEqual(of(1e300, 1e300), [1e13, 0, 0]);
});

test("toCounts() rounds the fractions of tokens that an upstream reports", () => {
  const tokens = { input: 1.5, cacheRead: 0.2, cacheWrite: 2, output: 3.7 };
  const { input, cacheRead, output } = toCounts({ tokens, cost: 0, usd: 0 }, { isFirst: false, now: 1 });
  assert.deepEqual([input, cacheRead, output], [2, 0, 4]);
});

test("addCounts() returns the same sum in any order and any grouping", () => {
  const Costs = fc.array(fc.double({ min: 0, max: 50, noNaN: true }), { minLength: 1, maxLength: 40 });
  fc.assert(fc.property(Costs, fc.nat(40), (costs, cut) => {
    const counts = costs.map((usd, now) =>
      toCounts({ tokens: TOKENS, cost: usd, usd }, { isFirst: true, now })
    );
    const days = [addCounts(counts.slice(0, cut)), addCounts(counts.slice(cut))];
    assert.deepEqual(addCounts(days), addCounts([...counts].reverse()));
  }));
});

test("addCounts() keeps sums that stores can read for any report of an upstream", () => {
  const counts = toCounts({ tokens: TOKENS, cost: 1e300, usd: 1e300 }, { isFirst: true, now: 1 });
  const { reported } = addCounts(new Array<Counts>(2000).fill(counts));
  assert.equal(reported, Number.MAX_SAFE_INTEGER);
});

test("daysOf() has every day of a range once, also in leap years and at the ends of months", () => {
  assert.deepEqual(daysOf({ from: "2028-02-27", to: "2028-03-01" }), [
    "2028-02-27",
    "2028-02-28",
    "2028-02-29",
    "2028-03-01",
  ]);
  assert.deepEqual(daysOf({ from: "2026-12-31", to: "2026-12-30" }), []);
  assert.equal(daysOf({ from: "0001-01-01", to: "2026-12-30" }).length, KEPT_DAYS);
  assert.equal(daysOf({ from: firstKeptDay("2026-11-30"), to: "2026-11-30" }).length, KEPT_DAYS);
  assert.equal(shiftDay("2026-11-30", 2), "2026-12-02");
  assert.equal(toDay(Date.UTC(2026, 10, 30) - 1), "2026-11-29");
});

test("LedgerTable sums names beyond its maximum of a key and a day as others", () => {
  const table = new LedgerTable({ maxNames: 2 });
  const add = (day: string, client: string, name: string) =>
    table.add({ day, by: "model", client, name, counts: { ...NO_COUNTS, turns: 1 } });
  for (const name of ["a", "b", "c", "d", "a"]) add("2026-11-30", "ci", name);
  add("2026-11-30", "laptop", "c");
  add("2026-12-01", "ci", "c");
  const shown = table.rows().map(({ day, client, name, counts }) =>
    `${day} ${client} ${name} ${counts.turns}`
  );
  assert.deepEqual(shown, [
    "2026-11-30 ci a 2",
    "2026-11-30 ci b 1",
    `2026-11-30 ci ${OTHER_NAMES} 2`,
    "2026-11-30 laptop c 1",
    "2026-12-01 ci c 1",
  ]);
});

test("LedgerTable keeps names apart that contain its separators", () => {
  const table = new LedgerTable();
  const add = (client: string, name: string) =>
    table.add({ day: "2026-11-30", by: "model", client, name, counts: NO_COUNTS });
  add('a","b', "c");
  add("a", 'b","c');
  assert.equal(table.size, 2);
});

test("createStoredLedger() writes the turns of 5 s in one batch, with the session", async () => {
  const { clock, store, ledger } = start();
  ledger.add(entry({ sessionId: "s1" }));
  ledger.add(entry({ sessionId: "s1", isFirst: false, cost: undefined, usd: undefined }));
  await settled();
  assert.equal(store.written.length, 0, "nothing is written on the path of a request");
  clock.advance(5 * SECOND);
  await settled();
  const [batch, ...others] = store.written;
  assert.deepEqual(others, []);
  const counts = {
    requests: 1,
    turns: 2,
    unpriced: 1,
    reported: 250_000_000,
    listed: 0,
    input: 6,
    cacheRead: 10,
    cacheWrite: 14,
    output: 22,
    last: Date.UTC(2026, 10, 30, 12),
  };
  assert.deepEqual(batch?.rows, [
    { day: "2026-11-30", by: "model", client: "ci", name: "openrouter/a/b", counts },
    { day: "2026-11-30", by: "session", client: "ci", name: "s1", counts },
  ]);
  assert.equal(clock.waiting, 0, "no timer is left");
});

test("createStoredLedger() puts a turn into the UTC day of its end", async () => {
  const { clock, ledger } = start();
  clock.advance(12 * 3600 * SECOND - 1);
  ledger.add(entry());
  clock.advance(1);
  ledger.add(entry({ usd: 1, cost: 1 }));
  const days = async (from: string, to: string) =>
    byModel((await ledger.read({ from, to })).rows).map(costOf);
  assert.deepEqual(await days("2026-11-30", "2026-11-30"), [250_000_000]);
  assert.deepEqual(await days("2026-12-01", "2026-12-01"), [1_000_000_000]);
  assert.deepEqual(await days("2026-11-30", "2026-12-01"), [250_000_000, 1_000_000_000]);
});

for (const writesBeforeFailure of [false, true]) {
  const what = writesBeforeFailure ? "whose answer was lost" : "that failed";
  test(`createStoredLedger() counts a write ${what} once`, async () => {
    const { clock, store, ledger } = start();
    Object.assign(store, { isDown: true, writesBeforeFailure });
    ledger.add(entry());
    const log = await captureLog(async () => {
      clock.advance(5 * SECOND);
      await settled();
      ledger.add(entry({ usd: 1, cost: 1 }));
      clock.advance(30 * SECOND);
      await settled();
    });
    assert.equal(log.length, 1, "an outage is one line");
    store.isDown = false;
    clock.advance(30 * SECOND);
    await settled();
    assert.deepEqual(store.attempts, ["batch_0", "batch_0", "batch_0", "batch_1"]);
    assert.deepEqual(addCounts(byModel((await ledger.read(TODAY)).rows)).reported, 1_250_000_000);
    assert.equal(clock.waiting, 0);
  });
}

test("createStoredLedger() shows turns that are not written yet", async () => {
  const { store, ledger } = start();
  store.isDown = true;
  ledger.add(entry());
  const { rows, since } = await ledger.read(TODAY);
  assert.deepEqual(byModel(rows).map(costOf), [250_000_000]);
  assert.equal(since, "2026-11-30");
});

test("createStoredLedger() counts each turn once while it is read, written and added to", async () => {
  const { clock, store, ledger } = start();
  const sums: number[] = [];
  for (let nth = 1; nth <= 20; nth++) {
    ledger.add(entry());
    if (nth % 3 === 0) clock.advance(5 * SECOND);
    void ledger.read(TODAY).then(({ rows }) => sums.push(addCounts(byModel(rows)).turns));
    store.isDown = nth % 5 === 0;
  }
  store.isDown = false;
  await ledger.settle();
  assert.equal(sums.length, 20);
  assert.ok(sums.every((sum, at) => sum >= at + 1 && sum <= 20), String(sums));
  assert.equal(addCounts(byModel(store.written.flatMap(({ rows }) => rows))).turns, 20);
});

test("createStoredLedger() writes the rest when it is settled", async () => {
  const { clock, store, ledger } = start();
  ledger.add(entry());
  await ledger.settle();
  assert.equal(store.written.length, 1);
  assert.equal(clock.waiting, 0);
});

test("createStoredLedger() reads no day that is older than 400 days", async () => {
  const { clock, store, ledger } = start();
  const { rows } = await ledger.read(TODAY);
  assert.deepEqual(rows, []);
  const old = { ...entry(), day: shiftDay("2026-11-30", -KEPT_DAYS) };
  store.written.push({
    id: "old",
    rows: [{ day: old.day, by: "model", client: "ci", name: "m", counts: NO_COUNTS }],
  });
  assert.deepEqual((await ledger.read({ from: "2000-01-01", to: toDay(clock.now()) })).rows, []);
});

test("createMemoryLedger() removes the oldest days above its maximum, never the current one", async () => {
  const clock = new FakeClock(Date.UTC(2026, 10, 28));
  const ledger = createMemoryLedger({ clock, maxRows: 3 });
  const all = { from: "2026-01-01", to: "2026-12-31" };
  for (let nth = 0; nth < 2; nth++) {
    ledger.add(entry({ model: "a" }));
    ledger.add(entry({ model: "b" }));
    clock.advance(DAY);
  }
  for (const model of ["a", "b", "c", "d"]) ledger.add(entry({ model }));
  const { rows, since } = await ledger.read(all);
  assert.equal(since, "2026-11-30");
  assert.equal(rows.length, 4);
  assert.equal(clock.waiting, 0, "memory needs no timer");
});

test("createStoredLedger() keeps the process alive for the first attempt to write a turn, not for further ones", async () => {
  const store = new FakeStore();
  store.isDown = true;
  const clock = new FakeClock();
  const timers: boolean[] = [];
  const after: Clock["after"] = (ms, run, { background = false } = {}) => {
    timers.push(background);
    return clock.after(ms, run);
  };
  const ledger = createStoredLedger(store, {
    clock: { now: () => clock.now(), every: () => () => {}, after },
    newId: (prefix) => prefix,
  });
  ledger.add(entry());
  clock.advance(5 * SECOND);
  await settled();
  assert.deepEqual(timers, [false, true]);
});
