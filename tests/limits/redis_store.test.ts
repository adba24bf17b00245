import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { createGateway, type Gateway } from "../../lib/gateway.ts";
import { createMemoryStore } from "../../lib/limits/memory_store.ts";
import type { Charge, Quota } from "../../lib/limits/quota.ts";
import { createRedisStore, type RedisConnection } from "../../lib/limits/redis_store.ts";
import type { ChargeResult } from "../../lib/limits/store.ts";
import type { LimitsInput } from "../../lib/config/limits.ts";
import { FakeClock } from "../kit/clock.ts";
import { createUpstream } from "../kit/upstream.ts";
import { MISSING, type RedisServer, startRedis } from "./redis_server.ts";

const PASSWORD = "hidden-word";
const SECOND = 1000;
const DAY = 86_400 * SECOND;
let server: RedisServer | undefined;
before(async () => {
  if (!MISSING) server = await startRedis({ password: PASSWORD });
});
after(() => server?.stop());

const url = () => `redis://:${PASSWORD}@127.0.0.1:${server?.port}`;

/** Asks the server itself. */
async function command<T>(run: (client: Awaited<ReturnType<typeof connect>>) => Promise<T>): Promise<T> {
  const client = await connect();
  try {
    return await run(client);
  } finally {
    client.destroy();
  }
}

async function connect() {
  const { createClient } = await import("@redis/client");
  const client = createClient({ url: url(), RESP: 2, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  return client;
}

const CHUNK = {
  choices: [{ delta: { content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, cost: 0.5 },
};

const START = Date.UTC(2026, 0, 1);

interface Stage {
  gateways: Gateway[];
  /** The same gateways, so many milliseconds later. */
  later(ms: number): Stage;
}

/** Two gateways that share an empty store. */
async function stage(limits: LimitsInput): Promise<Stage> {
  await command((client) => client.sendCommand(["FLUSHALL"]));
  return createStage(limits, START);
}

function createStage(LIMITS: LimitsInput, now: number): Stage {
  const { fetch } = createUpstream({ body: `data: ${JSON.stringify(CHUNK)}\n\ndata: [DONE]\n\n` });
  const settings = { OPENROUTER_API_KEY: "sk-or-test", RATE_LIMIT_STORE: url(), LIMITS };
  const gateways = [0, 1].map(() => createGateway({ settings, fetch, clock: new FakeClock(now) }));
  return { gateways, later: (ms) => createStage(LIMITS, now + ms) };
}

/** Waits until the server has heard of the end of every answer, which comes after what that used. */
async function recorded(): Promise<void> {
  await command(async (client) => {
    while (await client.exists("gateway:{limits}:key/local/concurrent")) await client.ping();
  });
}

async function ask(gateway: Gateway | undefined, stream = false): Promise<Response> {
  assert.ok(gateway !== undefined);
  const body = JSON.stringify({
    model: "m/m",
    max_tokens: 1,
    stream,
    messages: [{ role: "user", content: "Hi" }],
  });
  const headers = { "content-type": "application/json" };
  return await gateway.fetch(
    new Request("http://gateway.test/v1/messages", { method: "POST", headers, body }),
  );
}

/** Asks both in turn, and gives the statuses. */
async function askInTurn({ gateways }: Stage, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let nth = 0; nth < times; nth++) {
    const response = await ask(gateways[nth % 2]);
    await response.text();
    await recorded();
    statuses.push(response.status);
  }
  return statuses;
}

const SHARED: [limits: LimitsInput, statuses: number[]][] = [
  [{ each: { requests: 3 } }, [200, 200, 200, 429, 429]],
  [{ total: { requests: 2 } }, [200, 200, 429, 429]],
  [{ each: { input_tokens: 25 } }, [200, 200, 429, 429]],
  [{ each: { output_tokens: 12 } }, [200, 200, 200, 429]],
  [{ each: { usd_day: 1 } }, [200, 200, 402, 402]],
  [{ total: { usd_month: 1.2 } }, [200, 200, 200, 402]],
];

for (const [limits, statuses] of SHARED) {
  test(`two gateways share ${JSON.stringify(limits)}`, { skip: MISSING }, async () => {
    const on = await stage(limits);
    assert.deepEqual(await askInTurn(on, statuses.length), statuses);
    assert.deepEqual(await askInTurn(on.later(DAY * 31), 2), [200, 200]);
  });
}

test("two gateways admit no more than the limit of many requests at once", { skip: MISSING }, async () => {
  const { gateways } = await stage({ each: { requests: 20, concurrent: null } });
  const responses = await Promise.all(Array.from({ length: 60 }, (_, nth) => ask(gateways[nth % 2])));
  assert.equal(responses.filter(({ status }) => status === 200).length, 20);
  assert.equal(responses.filter(({ status }) => status === 429).length, 40);
});

test("every key of the store has the prefix, and expires", { skip: MISSING }, async () => {
  const on = await stage({
    each: { requests: 9, input_tokens: 1000, output_tokens: 100, usd_day: 9, usd_month: 9 },
  });
  await askInTurn(on, 2);
  const open = await ask(on.gateways[0], true);
  const found = await command(async (client) => {
    const keys = (await client.keys("*")).sort();
    return await Promise.all(keys.map(async (key) => [key, await client.pTTL(key)] as const));
  });
  assert.deepEqual(found.map(([key]) => key.replace(/\d.*/, "…")), [
    "gateway:{limits}:key/local/concurrent",
    "gateway:{limits}:key/local/input_tokens",
    "gateway:{limits}:key/local/output_tokens",
    "gateway:{limits}:key/local/requests",
    "gateway:{limits}:key/local/usd_day/…",
    "gateway:{limits}:key/local/usd_month/…",
  ]);
  for (const [key, life] of found) assert.ok(life > 0 && life <= 31 * DAY, `${key} lives ${life} ms`);
  await open.body?.cancel();
});

const of = { kind: "gateway" } as const;
const FLOW: Quota = { kind: "rate", name: "law/flow", metric: "requests", limit: 7, subject: of };
const BUDGET: Quota = {
  kind: "budget",
  name: "law/budget",
  metric: "usd_day",
  limit: 3,
  until: 1e15,
  subject: of,
};
const PLACES: Quota = {
  kind: "concurrency",
  name: "law/places",
  metric: "concurrent",
  limit: 2,
  subject: of,
};

const Step = fc.record({
  record: fc.boolean(),
  passes: fc.nat(5000), // so that no place, which nobody confirms here, is free by itself
  flow: fc.double({ min: -3, max: 9, noNaN: true }),
  budget: fc.double({ min: 0, max: 1, noNaN: true }),
  place: fc.boolean(),
});

test("the server reckons as the memory does", { skip: MISSING, timeout: 60_000 }, async () => {
  const connection = await connect();
  const law = fc.asyncProperty(fc.array(Step, { maxLength: 15 }), async (steps) => {
    await connection.sendCommand(["FLUSHALL"]);
    const clock = new FakeClock();
    // A clock without timers: what is recorded may arrive a moment after time was told to pass.
    const patient = { now: () => clock.now(), after: () => () => {}, every: () => () => {} };
    const memory = createMemoryStore();
    const redis = createRedisStore(url(), { clock: patient, connect: () => Promise.resolve(connection) });
    for (const [nth, { record, passes, flow, budget, place }] of steps.entries()) {
      clock.advance(passes);
      const draws: Charge[] = [{ quota: FLOW, amount: flow }, { quota: BUDGET, amount: budget }];
      if (record) {
        for (const store of [memory, redis]) store.record(draws, clock.now());
        continue;
      }
      if (place) draws.push({ quota: PLACES, amount: 1, holder: `h${nth}` });
      const expected = await memory.charge(draws, clock.now());
      const told = await redis.charge(draws, clock.now());
      const rounded = ({ fits, used }: ChargeResult) => [fits, ...used.map((each) => each.toFixed(6))];
      assert.deepEqual(rounded(told), rounded(expected));
    }
  });
  try {
    await fc.assert(law, { numRuns: 60, seed: 20261123 });
  } finally {
    connection.destroy();
  }
});

test("no debt is too deep for the server", { skip: MISSING }, async () => {
  await command((client) => client.sendCommand(["FLUSHALL"]));
  const store = createRedisStore(url(), { clock: new FakeClock(0) });
  store.record([{ quota: FLOW, amount: 1e300 }], 0);
  assert.deepEqual(await store.charge([{ quota: FLOW, amount: 0 }], 0), { fits: false, used: [1e300] });
});

test("a place that was never given back is free after 90 seconds, unless its gateway confirms it", {
  skip: MISSING,
}, async () => {
  const client = await connect();
  await client.sendCommand(["FLUSHALL"]);
  let confirmed: Promise<unknown> = Promise.resolve();
  const connection: RedisConnection = {
    eval: (script, options) => confirmed = client.eval(script, options),
    destroy: () => {},
  };
  const take = (clock: FakeClock, holder: string) =>
    createRedisStore(url(), { clock, connect: () => Promise.resolve(connection) })
      .charge([{ quota: PLACES, amount: 1, holder }], clock.now());
  const alive = new FakeClock();
  assert.equal((await take(alive, "alive")).fits, true);
  assert.equal(
    (await take(new FakeClock(), "killed")).fits,
    true,
    "its clock stands still, it confirms nothing",
  );
  assert.equal((await take(new FakeClock(alive.now()), "third")).fits, false);
  for (let nth = 0; nth < 6; nth++) {
    alive.advance(30 * SECOND);
    await setImmediate(); // until it is sent
    await confirmed;
    await setImmediate(); // until its answer is heard
  }
  assert.equal((await take(new FakeClock(alive.now()), "third")).fits, true);
  assert.equal((await take(new FakeClock(alive.now()), "fourth")).fits, false, "the first is still there");
  client.destroy();
});

test("while the server cannot be reached nobody is admitted; then all that was used is recorded", {
  skip: MISSING,
}, async () => {
  const clock = new FakeClock();
  const own = await startRedis({ password: PASSWORD });
  const store = createRedisStore(`redis://:${PASSWORD}@127.0.0.1:${own.port}`, { clock });
  const draws = [{ quota: BUDGET, amount: 0 }];
  assert.deepEqual(await store.charge(draws, clock.now()), { fits: true, used: [0] });
  await own.stop();
  const refusal = {
    type: "overloaded_error",
    status: 529,
    retryAfter: "5",
    message: "Cannot accept the request: the rate limit store is unreachable",
  };
  await assert.rejects(store.charge(draws, clock.now()), refusal);
  store.record([{ quota: BUDGET, amount: 2 }], clock.now());
  store.record([{ quota: BUDGET, amount: 2 }, { quota: FLOW, amount: 1 }], clock.now());
  await assert.rejects(store.charge(draws, clock.now()), refusal);
  const again = await startRedis({ password: PASSWORD, port: own.port });
  try {
    await assert.rejects(store.charge(draws, clock.now()), refusal, "it has failed a moment ago");
    clock.advance(SECOND);
    assert.deepEqual(await store.charge(draws, clock.now()), { fits: false, used: [4] });
  } finally {
    await again.stop();
  }
});

test(
  "a gateway whose store demands another password answers 529, and tells nobody any",
  { skip: MISSING },
  async () => {
    const { fetch, sent } = createUpstream({ body: "" });
    const settings = {
      OPENROUTER_API_KEY: "sk-or-test",
      RATE_LIMIT_STORE: url().replace(PASSWORD, "wrong-word"),
      LOG_LEVEL: "debug",
    };
    const { startLog } = await import("../../lib/observability/log.ts");
    const lines: string[] = [];
    const { error } = console;
    console.error = (line: string) => void lines.push(line);
    startLog("debug");
    const response = await ask(createGateway({ settings, fetch, clock: new FakeClock() }));
    startLog("off");
    console.error = error;
    const told = [await response.text(), ...lines].join("\n");
    assert.equal(response.status, 529);
    assert.equal(response.headers.get("retry-after"), "5");
    assert.match(told, /WRONGPASS|RATE_LIMIT_STORE/);
    assert.doesNotMatch(told, /wrong-word|hidden-word/);
    assert.equal(sent.length, 0);
  },
);

/** A server that was reached and answers as the test says. */
function pretend(
  answer: () => Promise<unknown>,
): { connections: number; ended: number; connect(): Promise<RedisConnection> } {
  const seen = {
    connections: 0,
    ended: 0,
    connect: () => {
      seen.connections++;
      return Promise.resolve({ eval: answer, destroy: () => void seen.ended++ });
    },
  };
  return seen;
}

test("a server that falls silent is given up after a second, and left alone for another", async () => {
  const clock = new FakeClock();
  let asked = () => {};
  const server = pretend(() => {
    asked();
    return new Promise(() => {});
  });
  const store = createRedisStore("redis://pretended", { clock, connect: server.connect });
  const underway = new Promise<void>((resolve) => asked = resolve);
  const draw = store.charge([{ quota: FLOW, amount: 1 }], clock.now());
  await underway;
  clock.advance(SECOND);
  await assert.rejects(draw, { status: 529 });
  assert.equal(clock.waiting, 0);
  await assert.rejects(store.charge([{ quota: FLOW, amount: 1 }], clock.now()), { status: 529 });
  assert.deepEqual([server.connections, server.ended], [1, 1]);
});

for (const answer of [null, [], ["1"], [1, "x"], [1, "inf"], "OK"]) {
  test(`an answer of a server that is none fails closed: ${JSON.stringify(answer)}`, async () => {
    const server = pretend(() => Promise.resolve(answer));
    const store = createRedisStore("redis://pretended", { clock: new FakeClock(), connect: server.connect });
    await assert.rejects(store.charge([{ quota: FLOW, amount: 1 }], 0), { status: 529 });
  });
}
