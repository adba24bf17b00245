import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfig } from "../../lib/config/parse.ts";
import type { Settings } from "../../lib/config/settings.ts";
import { ApiError } from "../../lib/base/errors.ts";
import { newId } from "../../lib/runtime/ids.ts";
import type { Admission } from "../../lib/limits/admission.ts";
import { createLimiter, type Limiter } from "../../lib/limits/limiter.ts";
import type { Ledger } from "../../lib/limits/ledger/ledger.ts";
import { createMemoryLedger } from "../../lib/limits/ledger/memory_ledger.ts";
import { createMemoryStore } from "../../lib/limits/memory_store.ts";
import type { LimitStore } from "../../lib/limits/store.ts";
import { FakeClock } from "../kit/clock.ts";
import { captureLog } from "../kit/log.ts";

const GATEWAY_API_KEYS = ["alice:0123456789abcdef", "bob:fedcba9876543210"];

function start(
  LIMITS: Settings["LIMITS"],
  store: LimitStore = createMemoryStore(),
): { limiter: Limiter; clock: FakeClock; ledger: Ledger } {
  const clock = new FakeClock();
  const config = parseConfig({ settings: { LIMITS, GATEWAY_API_KEYS } });
  const ledger = createMemoryLedger({ clock });
  return { limiter: createLimiter(config, { clock, newId, store, ledger }), clock, ledger };
}

/** Admits a message and its expected input. */
async function admit(
  limiter: Limiter,
  requester: { client: string; sessionId?: string },
  expected: { inputTokens: number },
): Promise<Admission & { headers: Readonly<Record<string, string>> }> {
  const admission = await limiter.admit(requester);
  try {
    return Object.assign(admission, { headers: await admission.expect(expected) });
  } catch (error) {
    admission.release();
    throw error;
  }
}

const USAGE = {
  inputTokens: 10,
  outputTokens: 1,
  tokens: { input: 10, cacheRead: 0, cacheWrite: 0, output: 1 },
  cost: undefined,
  usd: 1,
};

/** Returns status and message if a request is rejected. */
async function rejectionOf(limiter: Limiter, client: string, inputTokens = 10): Promise<string | undefined> {
  try {
    (await admit(limiter, { client }, { inputTokens })).release();
    return undefined;
  } catch (error) {
    assert.ok(error instanceof ApiError);
    return `${error.status} ${error.message}`;
  }
}

test("createLimiter() limits each key separately, named keys before the default", async () => {
  const { limiter } = start({
    each: { requests: 1 },
    keys: { alice: { requests: 3 }, bob: { requests: null } },
  });
  const admitted = async (client: string) => {
    let times = 0;
    while (times < 9 && await rejectionOf(limiter, client) === undefined) times++;
    return times;
  };
  assert.deepEqual([await admitted("alice"), await admitted("bob"), await admitted("carol")], [3, 9, 1]);
  assert.equal(await admitted("dave"), 1, "clients do not share a limit");
});

test("createLimiter() does not charge a rejected request", async () => {
  const { limiter } = start({ each: { requests: 1 }, total: { requests: 2 } });
  assert.equal(await rejectionOf(limiter, "a"), undefined);
  for (let nth = 0; nth < 5; nth++) assert.match(await rejectionOf(limiter, "a") ?? "", /^429 .*key "a"/);
  assert.equal(await rejectionOf(limiter, "b"), undefined, "only the admitted request of a is counted");
  assert.match(await rejectionOf(limiter, "c") ?? "", /^429 .*the gateway/);
});

test("createLimiter() keeps the sessions of different keys apart", async () => {
  const { limiter } = start({ session: { usd_day: 1 } });
  const session = { sessionId: "same" };
  (await admit(limiter, { client: "a", ...session }, { inputTokens: 1 })).charge(USAGE, "m");
  await assert.rejects(admit(limiter, { client: "a", ...session }, { inputTokens: 1 }), { status: 402 });
  await admit(limiter, { client: "b", ...session }, { inputTokens: 1 });
});

/** Calls between the admission of a message and its end, and the input tokens that are charged. */
const SETTLEMENTS: [what: string, settle: (admission: Admission) => void, used: number][] = [
  ["the upstream is not called", (admission) => admission.release(), 0],
  ["one turn is billed", (admission) => {
    admission.charge(USAGE, "m");
    admission.release();
  }, 10],
  ["it is released and billed a moment later", (admission) => {
    admission.release();
    admission.charge(USAGE, "m");
  }, 10],
  ["three turns are billed", (admission) => {
    for (let turn = 0; turn < 3; turn++) admission.charge(USAGE, "m");
    admission.release();
    admission.release();
  }, 30],
];

for (const [what, settle, used] of SETTLEMENTS) {
  test(`createLimiter() charges ${used} tokens for an estimate of 50 if ${what}`, async () => {
    const { limiter } = start({ each: { input_tokens: 100, concurrent: 1 } });
    const admission = await admit(limiter, { client: "a" }, { inputTokens: 50 });
    assert.equal(admission.headers["anthropic-ratelimit-input-tokens-remaining"], "50");
    settle(admission);
    const next = await admit(limiter, { client: "a" }, { inputTokens: 0 });
    assert.equal(next.headers["anthropic-ratelimit-input-tokens-remaining"], String(100 - used));
  });
}

test("createLimiter() charges a turn to the day on which it ends", async () => {
  const { limiter, clock } = start({ each: { usd_day: 1 } });
  const admission = await admit(limiter, { client: "a" }, { inputTokens: 1 });
  clock.advance(24 * 3_600_000);
  admission.charge(USAGE, "m");
  assert.match(await rejectionOf(limiter, "a") ?? "", /^402 .*renews at 2026-01-03T00:00:00Z$/);
});

test("createLimiter() logs a model of unknown price once if a budget is set", async () => {
  const lines = await captureLog(async () => {
    for (const limits of [{ each: { usd_day: 1 } }, { each: { requests: 9 } }]) {
      const { limiter } = start(limits);
      const admission = await admit(limiter, { client: "a" }, { inputTokens: 1 });
      for (const model of ["m/a", "m/b", "m/a"]) admission.charge({ ...USAGE, usd: undefined }, model);
    }
  }, "warn");
  assert.deepEqual(lines.map((line) => JSON.parse(line)).map(({ message, model }) => [message, model]), [
    ["cost of model unknown, not charged to any budget", "m/a"],
    ["cost of model unknown, not charged to any budget", "m/b"],
  ]);
});

test("createLimiter() counts a message of several turns as one request in the ledger", async () => {
  const { limiter, ledger } = start({});
  for (const turns of [1, 3]) {
    const admission = await admit(limiter, { client: "a", sessionId: "s" }, { inputTokens: 10 });
    for (let turn = 0; turn < turns; turn++) admission.charge(USAGE, "m");
    admission.release();
  }
  const { rows } = await ledger.read({ from: "2026-01-01", to: "2026-01-01" });
  const figures = rows.map(({ by, counts }) => [by, counts.requests, counts.turns]);
  assert.deepEqual(figures, [["model", 2, 4], ["session", 2, 4]]);
});

test("createLimiter() bounds the memory for sessions and keeps the usage of keys", async () => {
  const store = createMemoryStore({ maxSessionQuotas: 97 });
  const { limiter } = start({ each: { usd_month: 1 }, session: { requests: 9, usd_day: 9 } }, store);
  (await admit(limiter, { client: "spent" }, { inputTokens: 1 })).charge(USAGE, "m");
  for (let nth = 0; nth < 1000; nth++) {
    const admission = await admit(limiter, { client: "a", sessionId: `s${nth}` }, { inputTokens: 1 });
    admission.charge({ ...USAGE, usd: 0.0001 }, "m");
    admission.release();
    assert.ok(store.size <= 100, `${store.size} meters`);
  }
  assert.match(await rejectionOf(limiter, "spent") ?? "", /^402/);
});

test("createLimiter() keeps the sessions of a key while another key uses many", async () => {
  const store = createMemoryStore();
  const { limiter } = start({ session: { usd_day: 1, requests: 100 } }, store);
  const session = { client: "alice", sessionId: "mine" };
  (await admit(limiter, session, { inputTokens: 1 })).charge(USAGE, "m");
  for (let nth = 0; nth < 20_000; nth++) {
    const admission = await admit(limiter, { client: "bob", sessionId: `s${nth}` }, { inputTokens: 1 });
    admission.charge({ ...USAGE, usd: 0.0001 }, "m");
    admission.release();
  }
  await assert.rejects(admit(limiter, session, { inputTokens: 1 }), { status: 402 });
  assert.ok(store.size <= 5003, `${store.size} quotas`);
});

test("createLimiter() evicts the sessions that were used least recently", async () => {
  const { limiter } = start({ session: { usd_day: 1 } }, createMemoryStore({ maxSessionQuotas: 10 }));
  const use = async (sessionId: string, usd: number) => {
    const admission = await admit(limiter, { client: "a", sessionId }, { inputTokens: 1 });
    admission.charge({ ...USAGE, usd }, "m");
    admission.release();
  };
  for (let nth = 0; nth < 50; nth++) {
    await use("long", 0.02);
    await use(`s${nth}`, 0.01);
  }
  await assert.rejects(use("long", 0.02), { status: 402 });
});

test("createLimiter() reports the limit of the key if the gateway's has as much left", async () => {
  const { limiter } = start({ each: { requests: 2 }, total: { requests: 3 } });
  assert.equal(await rejectionOf(limiter, "a"), undefined);
  const { headers } = await admit(limiter, { client: "b" }, { inputTokens: 1 });
  assert.equal(headers["anthropic-ratelimit-requests-remaining"], "1");
  assert.equal(headers["anthropic-ratelimit-requests-limit"], "2");
});

test("createLimiter() names the holder of each slot, also beside other limiters", async () => {
  const store = createMemoryStore();
  const holders: (string | undefined)[] = [];
  const watched: LimitStore = {
    ...store,
    charge(charges, now) {
      for (const { holder } of charges) holders.push(holder);
      return store.charge(charges, now);
    },
  };
  for (
    const { limiter } of [
      start({ each: { concurrent: 9 } }, watched),
      start({ each: { concurrent: 9 } }, watched),
    ]
  ) {
    for (let nth = 0; nth < 2; nth++) await limiter.admit({ client: "a" });
    await limiter.admitTokenCount({ client: "a" });
  }
  assert.equal(new Set(holders).size, 6);
  assert.ok(!holders.includes(undefined));
});

test("createLimiter() forgets quotas without usage", async () => {
  const store = createMemoryStore({ maxSessionQuotas: 10 });
  const { limiter, clock } = start({ session: { requests: 5 } }, store);
  const admitSession = async (sessionId: string) =>
    (await admit(limiter, { client: "a", sessionId }, { inputTokens: 1 })).release();
  for (let nth = 0; nth < 50; nth++) {
    await admitSession(`s${nth}`);
    clock.advance(12_000);
  }
  assert.ok(store.size <= 10, `${store.size} meters`);
  for (let nth = 0; nth < 5; nth++) await admitSession("new");
  await assert.rejects(admitSession("new"), { status: 429, retryAfter: "12" });
});

test("hold() keeps a slot beyond the release, and frees it once", async () => {
  const { limiter } = start({ each: { concurrent: 2 } });
  const admitOne = () => admit(limiter, { client: "a" }, { inputTokens: 1 });
  const [first] = [await admitOne(), await admitOne()];
  const letGo = first.hold();
  first.release();
  first.release();
  await assert.rejects(admitOne(), { status: 429 });
  letGo();
  letGo();
  first.hold()();
  await admitOne();
  await assert.rejects(admitOne(), { status: 429 }, "the slot of the second is still taken");
});

test("hold() keeps a slot until each hold has ended, however often one ends", async () => {
  const { limiter } = start({ each: { concurrent: 1 } });
  const admission = await admit(limiter, { client: "a" }, { inputTokens: 1 });
  const [endOne, endOther] = [admission.hold(), admission.hold()];
  admission.release();
  for (let nth = 0; nth < 3; nth++) endOne();
  assert.match(await rejectionOf(limiter, "a") ?? "", /^429/);
  endOther();
  assert.equal(await rejectionOf(limiter, "a"), undefined);
});
