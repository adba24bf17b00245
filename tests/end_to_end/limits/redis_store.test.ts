import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setImmediate } from "node:timers/promises";
import fc from "fast-check";
import { createMemoryStore } from "../../../lib/limits/memory_store.ts";
import type { Charge, Quota } from "../../../lib/limits/quota.ts";
import type { RedisConnection } from "../../../lib/runtime/stores/redis.ts";
import { createRedisStore } from "../../../lib/limits/redis_store.ts";
import type { ChargeResult } from "../../../lib/limits/store.ts";
import type { LimitsInput } from "../../../lib/config/limits.ts";
import { MISSING, type RedisServer, startRedis } from "../servers/redis_server.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { captureLog } from "../../kit/log.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { writeChunks } from "../../kit/streams.ts";

const PASSWORD = "hidden-word";
const SECOND = 1000;
const DAY = 86_400 * SECOND;
let server: RedisServer | undefined;
before(async () => {
  if (!MISSING) server = await startRedis({ password: PASSWORD });
});
after(() => server?.stop());

const url = () => `redis://:${PASSWORD}@127.0.0.1:${server?.port}`;

/** Sends commands to the server. */
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

/** Two gateways that share a store. */
interface Pair {
  gateways: TestGateway[];
  /** Creates gateways with the same store and a clock that is ahead of theirs. */
  later(ms: number): Pair;
}

/** Creates two gateways that share an empty store. */
async function createPair(limits: LimitsInput): Promise<Pair> {
  await command((client) => client.sendCommand(["FLUSHALL"]));
  return createPairAt(limits, START);
}

function createPairAt(LIMITS: LimitsInput, now: number): Pair {
  const upstream = { body: writeChunks(CHUNK) };
  const settings = { RATE_LIMIT_STORE: url(), LIMITS };
  const gateways = [0, 1].map(() => createTestGateway({ settings, upstream, clock: new FakeClock(now) }));
  return { gateways, later: (ms) => createPairAt(LIMITS, now + ms) };
}

/** Waits until the store has recorded the end of every answer, which it records after the usage. */
async function recorded(): Promise<void> {
  await command(async (client) => {
    while (await client.exists("gateway:{limits}:key/local/concurrent")) await client.ping();
  });
}

async function sendMessage(gateway: TestGateway | undefined, stream = false): Promise<Response> {
  assert.ok(gateway !== undefined);
  return await gateway.post(minimalRequest("chat", { stream }));
}

/** Sends messages to both in turn, and returns the statuses. */
async function sendInTurn({ gateways }: Pair, times: number): Promise<number[]> {
  const statuses: number[] = [];
  for (let nth = 0; nth < times; nth++) {
    const response = await sendMessage(gateways[nth % 2]);
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
  test(
    `RATE_LIMIT_STORE shares ${JSON.stringify(limits)} between two gateways`,
    { skip: MISSING },
    async () => {
      const on = await createPair(limits);
      assert.deepEqual(await sendInTurn(on, statuses.length), statuses);
      assert.deepEqual(await sendInTurn(on.later(DAY * 31), 2), [200, 200]);
    },
  );
}

test("RATE_LIMIT_STORE admits no more concurrent requests than the limit over two gateways", {
  skip: MISSING,
}, async () => {
  const { gateways } = await createPair({ each: { requests: 20, concurrent: null } });
  const responses = await Promise.all(Array.from({ length: 60 }, (_, nth) => sendMessage(gateways[nth % 2])));
  assert.equal(responses.filter(({ status }) => status === 200).length, 20);
  assert.equal(responses.filter(({ status }) => status === 429).length, 40);
});

test("RATE_LIMIT_STORE sets keys with a prefix and an expiry", { skip: MISSING }, async () => {
  const on = await createPair({
    each: { requests: 9, input_tokens: 1000, output_tokens: 100, usd_day: 9, usd_month: 9 },
  });
  await sendInTurn(on, 2);
  const open = await sendMessage(on.gateways[0], true);
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
  for (const [key, ttl] of found) assert.ok(ttl > 0 && ttl <= 31 * DAY, `${key} expires in ${ttl} ms`);
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
  passes: fc.nat(5000), // less than the expiry of a slot, which is not renewed here
  flow: fc.double({ min: -3, max: 9, noNaN: true }),
  budget: fc.double({ min: 0, max: 1, noNaN: true }),
  place: fc.boolean(),
});

test(
  "createRedisStore() decides as createMemoryStore() does",
  { skip: MISSING, timeout: 60_000 },
  async () => {
    const connection = await connect();
    const property = fc.asyncProperty(fc.array(Step, { maxLength: 15 }), async (steps) => {
      await connection.sendCommand(["FLUSHALL"]);
      const clock = new FakeClock();
      // A clock without timers: a record may arrive after the clock was advanced.
      const withoutTimers = { now: () => clock.now(), after: () => () => {}, every: () => () => {} };
      const memory = createMemoryStore();
      const redis = createRedisStore(url(), {
        clock: withoutTimers,
        connect: () => Promise.resolve(connection),
      });
      for (const [nth, { record, passes, flow, budget, place }] of steps.entries()) {
        clock.advance(passes);
        const charges: Charge[] = [{ quota: FLOW, amount: flow }, { quota: BUDGET, amount: budget }];
        if (record) {
          for (const store of [memory, redis]) store.record(charges, clock.now());
          continue;
        }
        if (place) charges.push({ quota: PLACES, amount: 1, holder: `h${nth}` });
        const expected = await memory.charge(charges, clock.now());
        const actual = await redis.charge(charges, clock.now());
        const rounded = ({ fits, used }: ChargeResult) => [fits, ...used.map((each) => each.toFixed(6))];
        assert.deepEqual(rounded(actual), rounded(expected));
      }
    });
    try {
      await fc.assert(property, { numRuns: 60, seed: 20261123 });
    } finally {
      connection.destroy();
    }
  },
);

test("createRedisStore() accepts any overdraft", { skip: MISSING }, async () => {
  await command((client) => client.sendCommand(["FLUSHALL"]));
  const store = createRedisStore(url(), { clock: new FakeClock(0) });
  store.record([{ quota: FLOW, amount: 1e300 }], 0);
  assert.deepEqual(await store.charge([{ quota: FLOW, amount: 0 }], 0), { fits: false, used: [1e300] });
});

test("createRedisStore() frees an abandoned slot after 90 seconds unless its gateway renews it", {
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
    "its clock stands still, it renews nothing",
  );
  assert.equal((await take(new FakeClock(alive.now()), "third")).fits, false);
  for (let nth = 0; nth < 6; nth++) {
    alive.advance(30 * SECOND);
    await setImmediate(); // until it is sent
    await confirmed;
    await setImmediate(); // until its answer is read
  }
  assert.equal((await take(new FakeClock(alive.now()), "third")).fits, true);
  assert.equal((await take(new FakeClock(alive.now()), "fourth")).fits, false, "the first is still there");
  client.destroy();
});

test(
  "createRedisStore() rejects every request while the server is unreachable, and records the usage afterwards",
  {
    skip: MISSING,
  },
  async () => {
    const clock = new FakeClock();
    const own = await startRedis({ password: PASSWORD });
    const store = createRedisStore(`redis://:${PASSWORD}@127.0.0.1:${own.port}`, { clock });
    const charges = [{ quota: BUDGET, amount: 0 }];
    assert.deepEqual(await store.charge(charges, clock.now()), { fits: true, used: [0] });
    await own.stop();
    const refusal = {
      type: "overloaded_error",
      status: 529,
      retryAfter: "5",
      message: "Cannot accept the request: the rate limit store is unreachable",
    };
    await assert.rejects(store.charge(charges, clock.now()), refusal);
    store.record([{ quota: BUDGET, amount: 2 }], clock.now());
    store.record([{ quota: BUDGET, amount: 2 }, { quota: FLOW, amount: 1 }], clock.now());
    await assert.rejects(store.charge(charges, clock.now()), refusal);
    const again = await startRedis({ password: PASSWORD, port: own.port });
    try {
      await assert.rejects(store.charge(charges, clock.now()), refusal, "it has failed a moment ago");
      clock.advance(SECOND);
      assert.deepEqual(await store.charge(charges, clock.now()), { fits: false, used: [4] });
    } finally {
      await again.stop();
    }
  },
);

/** States of a server in which it takes no writes: commands that begin and end the state, and the reason. */
const REFUSALS: [begin: string[], end: string[], reason: string][] = [
  [["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"], "its memory is full"],
  [["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"], "its server is a read-only replica"],
];

for (const [begin, end, reason] of REFUSALS) {
  test(
    `POST /v1/messages returns 500 if the rate limit store fails: ${reason}`,
    { skip: MISSING },
    async () => {
      const { gateways: [gateway] } = await createPair({ each: { requests: 9, concurrent: null } });
      await command((client) => client.sendCommand(begin));
      try {
        const lines = await captureLog(async () => {
          for (const _call of ["first", "within a second"]) {
            const response = await sendMessage(gateway);
            assert.equal(response.status, 500);
            const message = `Cannot use the gateway's rate limit store: ${reason}`;
            assert.deepEqual((await response.json()).error, { type: "api_error", message });
          }
        }, "error");
        assert.deepEqual(lines.map((line) => JSON.parse(line).failure), ["store", "store"]);
      } finally {
        await command((client) => client.sendCommand(end));
      }
    },
  );
}

test(
  "POST /v1/messages returns 529 if the password of RATE_LIMIT_STORE is wrong, and reveals no password",
  { skip: MISSING },
  async () => {
    const settings = {
      RATE_LIMIT_STORE: url().replace(PASSWORD, "wrong-word"),
      LOG_LEVEL: "debug",
    };
    const gateway = createTestGateway({ settings });
    let response = new Response();
    const lines = await captureLog(async () => {
      response = await sendMessage(gateway);
    }, "debug");
    const output = [await response.text(), ...lines].join("\n");
    assert.equal(response.status, 529);
    assert.equal(response.headers.get("retry-after"), "5");
    assert.match(output, /WRONGPASS|RATE_LIMIT_STORE/);
    assert.doesNotMatch(output, /wrong-word|hidden-word/);
    assert.equal(gateway.upstream.requests.length, 0);
  },
);

/** Creates a connection to a server whose answers come from the test. */
function createFakeServer(
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

test("createRedisStore() times out after one second, and waits one second to retry", async () => {
  const clock = new FakeClock();
  let onRequest = () => {};
  const server = createFakeServer(() => {
    onRequest();
    return new Promise(() => {});
  });
  const store = createRedisStore("redis://pretended", { clock, connect: server.connect });
  const underway = new Promise<void>((resolve) => onRequest = resolve);
  const charge = store.charge([{ quota: FLOW, amount: 1 }], clock.now());
  await underway;
  clock.advance(SECOND);
  await assert.rejects(charge, { status: 529 });
  assert.equal(clock.waiting, 0);
  await assert.rejects(store.charge([{ quota: FLOW, amount: 1 }], clock.now()), { status: 529 });
  assert.deepEqual([server.connections, server.ended], [1, 1]);
});

for (const answer of [null, [], ["1"], [1, "x"], [1, "inf"], "OK"]) {
  test(`createRedisStore() rejects every request if the server answers ${JSON.stringify(answer)}`, async () => {
    const server = createFakeServer(() => Promise.resolve(answer));
    const store = createRedisStore("redis://pretended", { clock: new FakeClock(), connect: server.connect });
    await assert.rejects(store.charge([{ quota: FLOW, amount: 1 }], 0), { status: 529 });
  });
}

test("settle() waits for pending records, and retries failed ones", async () => {
  const clock = new FakeClock();
  const sent: string[] = [];
  const answers: ((answer: unknown) => void)[] = [];
  const store = createRedisStore("redis://pretended", {
    clock,
    connect: () =>
      Promise.resolve({
        eval: (_script, { arguments: [, mode = "", , , amount = ""] }) => {
          sent.push(`${mode} ${amount}`);
          return new Promise((resolve) => answers.push(resolve));
        },
        destroy: () => {},
      }),
  });
  const charge: Charge = { quota: PLACES, amount: 1 };
  const budget: Charge = {
    quota: { ...PLACES, name: "usd", kind: "budget", metric: "usd_day", until: START + DAY },
    amount: 0.5,
  };
  store.record([charge, budget], clock.now());
  let settled = false;
  const settling = store.settle().then(() => void (settled = true));
  await setImmediate();
  assert.equal(settled, false);
  clock.advance(SECOND); // the server gives no answer
  for (let turn = 0; turn < 5; turn++) await setImmediate();
  assert.equal(settled, true, "no request is sent to a server that has just failed");
  clock.advance(SECOND);
  const again = store.settle();
  await setImmediate();
  assert.deepEqual(sent, ["record 1", "record 0.5"], "the budget is recorded, not the slot");
  answers.at(-1)?.([1, "0.5"]);
  await Promise.all([settling, again]);
});
