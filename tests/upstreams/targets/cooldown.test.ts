import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  afterAnswer,
  afterFailure,
  type Cooldown,
  stateOf,
} from "../../../lib/upstreams/targets/cooldown.ts";

const LIMITS = { firstMs: 5000, maxMs: 60_000 };
/** A pause from 1000 to 6000, after one failure. */
const FIRST: Cooldown = { since: 1000, until: 6000, failures: 1, status: 503, stated: false };

/** The state before a failure, the failure, and the state after it. */
const FAILURES: [
  name: string,
  previous: Cooldown | undefined,
  failure: Parameters<typeof afterFailure>[1],
  expected: Partial<Cooldown>,
][] = [
  ["pauses for the first time", undefined, { status: 503, startedAt: 0, at: 1000 }, {
    since: 1000,
    until: 6000,
    failures: 1,
    stated: false,
  }],
  ["doubles after the pause", FIRST, { status: 500, startedAt: 6000, at: 6100 }, {
    since: 6100,
    until: 16_100,
    failures: 2,
    status: 500,
  }],
  [
    "ends the doubling at the maximum",
    { ...FIRST, failures: 20 },
    { status: 500, startedAt: 6000, at: 6000 },
    {
      until: 66_000,
      failures: 21,
    },
  ],
  ["counts requests that were under way as one", FIRST, { status: 503, startedAt: 900, at: 1100 }, FIRST],
  ["counts those that end after the pause as one", FIRST, { status: 503, startedAt: 900, at: 9000 }, FIRST],
  ["does not lengthen a pause that is tried", FIRST, { status: 503, startedAt: 2000, at: 2000 }, FIRST],
  ["takes the time that the upstream states", undefined, {
    status: 429,
    startedAt: 0,
    at: 1000,
    retryAfterMs: 30_000,
  }, { until: 31_000, stated: true }],
  ["bounds the time that the upstream states", undefined, {
    status: 429,
    startedAt: 0,
    at: 0,
    retryAfterMs: 86_400_000,
  }, { until: 60_000, stated: true }],
  ["lengthens a pause to the stated time", FIRST, {
    status: 429,
    startedAt: 900,
    at: 1100,
    retryAfterMs: 20_000,
  }, { since: 1000, until: 21_100, failures: 1, status: 429, stated: true }],
  ["does not shorten a pause to the stated time", FIRST, {
    status: 429,
    startedAt: 900,
    at: 1100,
    retryAfterMs: 1000,
  }, FIRST],
  ["takes the first pause for a stated 0", undefined, { status: 429, startedAt: 0, at: 0, retryAfterMs: 0 }, {
    until: 5000,
    stated: false,
  }],
  ["takes the maximum if a repeat is futile", undefined, { status: 429, startedAt: 0, at: 0, futile: true }, {
    until: 60_000,
    stated: true,
  }],
];

for (const [name, previous, failure, expected] of FAILURES) {
  test(`afterFailure() ${name}`, () => {
    const cooldown = afterFailure(previous, failure, LIMITS);
    assert.deepEqual(cooldown, { ...cooldown, ...expected });
  });
}

test("afterAnswer() ends the pause, unless the request began before the failure", () => {
  assert.equal(afterAnswer(FIRST, 999), FIRST);
  assert.equal(afterAnswer(FIRST, 1000), undefined);
  assert.equal(afterAnswer(FIRST, 7000), undefined);
  assert.equal(afterAnswer(undefined, 0), undefined);
});

test("stateOf() is cooling up to the end of the pause, then half open", () => {
  assert.equal(stateOf(undefined, 0), "healthy");
  assert.equal(stateOf(FIRST, 5999), "cooling");
  assert.equal(stateOf(FIRST, 6000), "half_open");
});

test("afterFailure() never pauses longer than the maximum, and never moves an end to an earlier time", () => {
  const step = fc.record({
    wait: fc.integer({ min: 0, max: 100_000 }),
    lasted: fc.integer({ min: 0, max: 20_000 }),
    retryAfterMs: fc.option(fc.integer({ min: 0, max: 1e9 }), { nil: undefined }),
    futile: fc.boolean(),
    answers: fc.boolean(),
  });
  fc.assert(fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
    let cooldown: Cooldown | undefined;
    let now = 0;
    for (const { wait, lasted, retryAfterMs, futile, answers } of steps) {
      now += wait;
      const startedAt = now - lasted;
      const previous = cooldown;
      if (answers) cooldown = afterAnswer(cooldown, startedAt);
      else {
        cooldown = afterFailure(cooldown, { status: 503, startedAt, at: now, retryAfterMs, futile }, LIMITS);
        assert.ok(cooldown.until <= now + LIMITS.maxMs);
        assert.ok(cooldown.until >= (previous?.until ?? 0));
        assert.ok(cooldown.failures - (previous?.failures ?? 0) <= 1);
      }
    }
  }));
});
