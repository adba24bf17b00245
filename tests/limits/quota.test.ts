import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { addUse, fits, msUntilFits, msUntilUnused, type Quota, usedAt } from "../../lib/limits/quota.ts";
import { periodOf, toRfc3339 } from "../../lib/limits/period.ts";

const of = { kind: "gateway" } as const;
const FLOW: Quota = { kind: "rate", name: "f", metric: "requests", limit: 60, subject: of };
const BUDGET: Quota = { kind: "budget", name: "b", metric: "usd_day", limit: 5, until: 1000, subject: of };
const PLACES: Quota = { kind: "concurrency", name: "p", metric: "concurrent", limit: 2, subject: of };

const USED: [meter: Quota, used: number, passed: number, left: number][] = [
  [FLOW, 60, 0, 60],
  [FLOW, 60, 1000, 59],
  [FLOW, 60, 60_000, 0],
  [FLOW, 60, 600_000, 0],
  [FLOW, 60, -5000, 60],
  [BUDGET, 4, 999, 4],
  [BUDGET, 4, 1000, 0],
  [PLACES, 2, 1e9, 2],
];

for (const [meter, used, passed, left] of USED) {
  test(`usedAt() returns ${left} of ${used} in a ${meter.kind} after ${passed} ms`, () => {
    assert.equal(usedAt(meter, { used, at: 0 }, passed), left);
  });
}

const FITS: [used: number, amount: number, limit: number, fit: boolean][] = [
  [0, 1, 1, true],
  [1, 1, 1, false],
  [0.5, 1, 1, false],
  [9, 0, 10, true],
  [10, 0, 10, false],
  [17, 0, 10, false],
  [0, 99, 10, true],
  [0.001, 99, 10, false],
  [0, 0, 0, false],
];

for (const [used, amount, limit, fit] of FITS) {
  test(`fits() returns ${fit} for ${amount} of ${limit} if ${used} are used`, () => {
    assert.equal(fits({ ...FLOW, limit }, used, amount), fit);
  });
}

test("addUse() never falls below zero, and does not refund if the clock goes back", () => {
  assert.deepEqual(addUse(FLOW, { used: 5, at: 100 }, { amount: -9, now: 100 }), { used: 0, at: 100 });
  assert.deepEqual(addUse(FLOW, { used: 5, at: 100 }, { amount: 2, now: 50 }), { used: 7, at: 100 });
});

test("msUntilFits() returns the earliest time at which an amount fits", () => {
  const numbers = {
    used: fc.double({ min: 0, max: 1e6, noNaN: true }),
    amount: fc.nat(1e6),
    limit: fc.integer({ min: 1, max: 1e6 }),
  };
  fc.assert(fc.property(fc.record(numbers), ({ used, amount, limit }) => {
    const meter: Quota = { ...FLOW, limit };
    if (fits(meter, used, amount)) return;
    const wait = msUntilFits(meter, used, { amount, now: 0 }) ?? 0;
    const seconds = Math.ceil(wait / 1000) * 1000;
    assert.ok(fits(meter, usedAt(meter, { used, at: 0 }, seconds + 1), amount), "then it fits");
    assert.ok(!fits(meter, usedAt(meter, { used, at: 0 }, wait * 0.999 - 2), amount), "before, it does not");
  }));
});

test("msUntilUnused() returns the time from which usage is zero", () => {
  assert.equal(msUntilUnused(FLOW, 30, 0), 30_000);
  assert.equal(msUntilUnused(BUDGET, 3, 400), 600);
  assert.equal(msUntilUnused(PLACES, 1, 0), undefined);
});

const PERIODS: [time: string, day: string, dayEnd: string, month: string, monthEnd: string][] = [
  ["2026-11-25T10:00:00Z", "2026-11-25", "2026-11-26", "2026-11", "2026-12-01"],
  ["2026-12-31T23:59:59.999Z", "2026-12-31", "2027-01-01", "2026-12", "2027-01-01"],
  ["2028-02-28T00:00:00Z", "2028-02-28", "2028-02-29", "2028-02", "2028-03-01"],
  // The day in UTC, not in the zone of the time.
  ["2026-11-30T23:30:00-05:00", "2026-12-01", "2026-12-02", "2026-12", "2027-01-01"],
];

for (const [time, day, dayEnd, month, monthEnd] of PERIODS) {
  test(`periodOf() returns the day and the month of ${time}`, () => {
    const now = Date.parse(time);
    assert.deepEqual(periodOf("usd_day", now), { name: day, until: Date.parse(`${dayEnd}T00:00:00Z`) });
    assert.deepEqual(periodOf("usd_month", now), { name: month, until: Date.parse(`${monthEnd}T00:00:00Z`) });
  });
}

test("toRfc3339() rounds up to whole seconds", () => {
  assert.equal(toRfc3339(Date.parse("2026-11-25T10:00:00.001Z")), "2026-11-25T10:00:01Z");
  assert.equal(toRfc3339(Date.parse("2026-11-25T10:00:00.000Z")), "2026-11-25T10:00:00Z");
  assert.equal(toRfc3339(1e300), "9999-12-31T23:59:59Z");
});
