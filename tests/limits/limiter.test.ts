import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../lib/config/parse.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { ApiError } from "../../lib/base/errors.ts";
import { newId } from "../../lib/runtime/ids.ts";
import { type Admission, createLimiter, type Limiter } from "../../lib/limits/limiter.ts";
import { createMemoryStore } from "../../lib/limits/memory_store.ts";
import { startLog } from "../../lib/observability/log.ts";
import { FakeClock } from "../kit/clock.ts";

const GATEWAY_API_KEYS = ["alice:0123456789abcdef", "bob:fedcba9876543210"];

function start(
  LIMITS: Settings["LIMITS"],
  store = createMemoryStore(),
): { limiter: Limiter; clock: FakeClock } {
  const clock = new FakeClock();
  return {
    limiter: createLimiter(parseConfig({ settings: { LIMITS, GATEWAY_API_KEYS } }), { clock, newId, store }),
    clock,
  };
}

const BILL = { inputTokens: 10, outputTokens: 1, cost: undefined, usd: 1 };

/** Who is refused, and how. */
async function refused(limiter: Limiter, client: string, inputTokens = 10): Promise<string | undefined> {
  try {
    (await limiter.admit({ client }, { inputTokens })).release();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return `${error.status} ${error.message}`;
  }
}

test("each key has its own limits, those by its name before those of all", async () => {
  const { limiter } = start({
    each: { requests: 1 },
    keys: { alice: { requests: 3 }, bob: { requests: null } },
  });
  const admitted = async (client: string) => {
    let times = 0;
    while (times < 9 && await refused(limiter, client) === undefined) times++;
    return times;
  };
  assert.deepEqual([await admitted("alice"), await admitted("bob"), await admitted("carol")], [3, 9, 1]);
  assert.equal(await admitted("dave"), 1, "nobody draws from another's");
});

test("a refusal draws from no meter", async () => {
  const { limiter } = start({ each: { requests: 1 }, total: { requests: 2 } });
  assert.equal(await refused(limiter, "a"), undefined);
  for (let nth = 0; nth < 5; nth++) assert.match(await refused(limiter, "a") ?? "", /^429 .*key "a"/);
  assert.equal(await refused(limiter, "b"), undefined, "a has used one of both alone");
  assert.match(await refused(limiter, "c") ?? "", /^429 .*the gateway/);
});

test("a session belongs to its key", async () => {
  const { limiter } = start({ session: { usd_day: 1 } });
  const session = { sessionId: "same" };
  (await limiter.admit({ client: "a", ...session }, { inputTokens: 1 })).charge(BILL, "m");
  await assert.rejects(limiter.admit({ client: "a", ...session }, { inputTokens: 1 }), { status: 402 });
  await limiter.admit({ client: "b", ...session }, { inputTokens: 1 });
});

/** What may become of a message between its admission and its end, and how many tokens of input it used. */
const COURSES: [what: string, course: (admission: Admission) => void, used: number][] = [
  ["nobody is asked", (admission) => admission.release(), 0],
  ["one turn is billed", (admission) => {
    admission.charge(BILL, "m");
    admission.release();
  }, 10],
  ["it is left, and billed a moment later", (admission) => {
    admission.release();
    admission.charge(BILL, "m");
  }, 10],
  ["three turns are billed", (admission) => {
    for (let turn = 0; turn < 3; turn++) admission.charge(BILL, "m");
    admission.release();
    admission.release();
  }, 30],
];

for (const [what, course, used] of COURSES) {
  test(`of a message that was expected to be 50 tokens, ${used} are used where ${what}`, async () => {
    const { limiter } = start({ each: { input_tokens: 100, concurrent: 1 } });
    const admission = await limiter.admit({ client: "a" }, { inputTokens: 50 });
    assert.equal(admission.headers["anthropic-ratelimit-input-tokens-remaining"], "50");
    course(admission);
    const next = await limiter.admit({ client: "a" }, { inputTokens: 0 });
    assert.equal(next.headers["anthropic-ratelimit-input-tokens-remaining"], String(100 - used));
  });
}

test("a turn that ends on the next day is paid from that day's budget", async () => {
  const { limiter, clock } = start({ each: { usd_day: 1 } });
  const admission = await limiter.admit({ client: "a" }, { inputTokens: 1 });
  clock.advance(24 * 3_600_000);
  admission.charge(BILL, "m");
  assert.match(await refused(limiter, "a") ?? "", /^402 .*renews at 2026-01-03T00:00:00Z$/);
});

test("a model of unknown price is logged once, where a budget should have counted it", async () => {
  const lines: string[] = [];
  const { error } = console;
  console.error = (line: string) => void lines.push(line);
  startLog("warn");
  for (const limits of [{ each: { usd_day: 1 } }, { each: { requests: 9 } }]) {
    const { limiter } = start(limits);
    const admission = await limiter.admit({ client: "a" }, { inputTokens: 1 });
    for (const model of ["m/a", "m/b", "m/a"]) admission.charge({ ...BILL, usd: undefined }, model);
  }
  startLog("off");
  console.error = error;
  assert.deepEqual(lines.map((line) => JSON.parse(line)).map(({ message, model }) => [message, model]), [
    ["cost of model unknown, not charged to any budget", "m/a"],
    ["cost of model unknown, not charged to any budget", "m/b"],
  ]);
});

test("the memory of sessions is bounded, and what keys have used is not forgotten for them", async () => {
  const store = createMemoryStore({ maxQuotas: 100 });
  const { limiter } = start({ each: { usd_month: 1 }, session: { requests: 9, usd_day: 9 } }, store);
  (await limiter.admit({ client: "spent" }, { inputTokens: 1 })).charge(BILL, "m");
  for (let nth = 0; nth < 1000; nth++) {
    const admission = await limiter.admit({ client: "a", sessionId: `s${nth}` }, { inputTokens: 1 });
    admission.charge({ ...BILL, usd: 0.0001 }, "m");
    admission.release();
    assert.ok(store.size <= 100, `${store.size} meters`);
  }
  assert.match(await refused(limiter, "spent") ?? "", /^402/);
});

test("what nothing is used of is not remembered", async () => {
  const store = createMemoryStore({ maxQuotas: 10 });
  const { limiter, clock } = start({ session: { requests: 5 } }, store);
  const admit = async (sessionId: string) =>
    (await limiter.admit({ client: "a", sessionId }, { inputTokens: 1 })).release();
  for (let nth = 0; nth < 50; nth++) {
    await admit(`s${nth}`);
    clock.advance(12_000);
  }
  assert.ok(store.size <= 10, `${store.size} meters`);
  for (let nth = 0; nth < 5; nth++) await admit("new");
  await assert.rejects(admit("new"), { status: 429, retryAfter: "12" });
});
