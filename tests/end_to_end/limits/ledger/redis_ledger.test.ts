import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { addCounts, NO_COUNTS } from "../../../../lib/limits/ledger/counts.ts";
import { shiftDay } from "../../../../lib/limits/ledger/days.ts";
import { createRedisLedger } from "../../../../lib/limits/ledger/redis_ledger.ts";
import { createStoredLedger } from "../../../../lib/limits/ledger/stored_ledger.ts";
import { type LedgerRow, OTHER_NAMES } from "../../../../lib/limits/ledger/table.ts";
import type { RedisConnection } from "../../../../lib/runtime/stores/redis.ts";
import { FakeClock } from "../../../kit/clock.ts";
import { captureLog } from "../../../kit/log.ts";
import { MISSING, type RedisServer, startRedis } from "../../servers/redis_server.ts";

const PASSWORD = "hidden-word";
let server: RedisServer | undefined;
before(async () => {
  if (!MISSING) server = await startRedis({ password: PASSWORD });
});
after(() => server?.stop());

const url = () => `redis://:${PASSWORD}@127.0.0.1:${server?.port}`;
const DAY = "2026-11-30";
const NOON = Date.UTC(2026, 10, 30, 12);

async function connectRedis(address: string): Promise<RedisConnection> {
  const { createClient } = await import("@redis/client");
  const client = createClient({ url: address, RESP: 2, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Runs a script on the server, and closes the connection. */
async function evaluate(script: string, key = ""): Promise<unknown> {
  const redis = await connectRedis(url());
  try {
    return await redis.eval(script, { keys: [key], arguments: [] });
  } finally {
    redis.destroy();
  }
}

/** Runs a test with connections, and closes them. */
async function withConnections(
  run: (connect: typeof connectRedis) => Promise<void>,
): Promise<void> {
  const open: { destroy(): void }[] = [];
  await evaluate("return redis.call('FLUSHALL')");
  try {
    await run(async (address) => {
      const connection = await connectRedis(address);
      open.push(connection);
      return connection;
    });
  } finally {
    for (const connection of open) connection.destroy();
  }
}

function row(turns: number, fields: Partial<LedgerRow> = {}): LedgerRow {
  const counts = { ...NO_COUNTS, turns, reported: 2 ** 40, output: 5, last: NOON + turns };
  return { day: DAY, by: "model", client: "ci", name: "openrouter/a/b", counts, ...fields };
}

const TURN = {
  client: "ci",
  sessionId: "s1",
  model: "openrouter/a/b",
  isFirst: true,
  tokens: { input: 1, cacheRead: 2, cacheWrite: 3, output: 4 },
  cost: undefined,
  usd: 0.1,
};

test(
  "createRedisLedger() sums the turns of several gateways exactly",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const clock = new FakeClock(NOON);
      let ids = 0;
      const ledgers = [0, 1, 2].map(() =>
        createStoredLedger(createRedisLedger(url(), { clock, connect }), {
          clock,
          newId: (prefix) => `${prefix}${ids++}`,
        })
      );
      for (let nth = 0; nth < 10; nth++) {
        for (const ledger of ledgers) ledger.add(TURN);
        if (nth % 4 === 0) await Promise.all(ledgers.map((ledger) => ledger.settle()));
      }
      clock.advance(12 * 3_600_000);
      for (const ledger of ledgers) ledger.add(TURN);
      await Promise.all(ledgers.map((ledger) => ledger.settle()));
      for (const ledger of ledgers) {
        const sum = async (from: string, to: string) => {
          const { rows, since, damaged } = await ledger.read({ from, to });
          assert.deepEqual([since, damaged], [DAY, 0]);
          const { listed, turns, output } = addCounts(
            rows.filter(({ by }) => by === "session").map(({ counts }) => counts),
          );
          return { listed, turns, output };
        };
        const first = { listed: 3_000_000_000, turns: 30, output: 120 };
        assert.deepEqual(await sum(DAY, DAY), first);
        assert.deepEqual(await sum("2026-12-01", "2026-12-01"), {
          listed: 300_000_000,
          turns: 3,
          output: 12,
        });
        assert.deepEqual(await sum("2026-01-01", "2026-12-31"), {
          listed: 3_300_000_000,
          turns: 33,
          output: 132,
        });
      }
    }),
);

test(
  "createRedisLedger() returns the rows that were written, with any names",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const store = createRedisLedger(url(), { clock: new FakeClock(NOON), connect });
      const names = ["#model", '"]1', "a\nb", "€", "", "__proto__"];
      const rows = names.flatMap((name, at) => [row(at + 1, { name }), row(at + 1, { by: "session", name })]);
      await store.write({ id: "1", rows }, NOON);
      const found = await store.read({ from: DAY, to: DAY });
      const sorted = (all: readonly LedgerRow[]) => all.map((one) => JSON.stringify(one)).sort();
      assert.deepEqual(sorted(found.rows), sorted(rows));
      assert.equal(found.damaged, 0);
    }),
);

test(
  "createRedisLedger() ignores a batch that it has",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const store = createRedisLedger(url(), { clock: new FakeClock(NOON), connect });
      const rows = [row(1), row(2, { day: "2026-12-01" })];
      for (let nth = 0; nth < 3; nth++) await store.write({ id: "same", rows }, NOON);
      const found = await store.read({ from: DAY, to: "2026-12-01" });
      assert.deepEqual(found.rows, rows);
    }),
);

test(
  "createRedisLedger() sums names beyond the maximum of a day as others",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const store = createRedisLedger(url(), { clock: new FakeClock(NOON), connect, maxNames: 2 });
      for (const [at, name] of ["a", "b", "c", "d", "a"].entries()) {
        await store.write({ id: String(at), rows: [row(1, { name }), row(1, { name, client: "z" })] }, NOON);
      }
      const { rows } = await store.read({ from: DAY, to: DAY });
      const turns = Object.fromEntries(
        rows.map(({ client, name, counts }) => [`${client} ${name}`, counts.turns]),
      );
      const expected = { a: 2, b: 1, [OTHER_NAMES]: 2 };
      for (const client of ["ci", "z"]) {
        for (const [name, count] of Object.entries(expected)) assert.equal(turns[`${client} ${name}`], count);
      }
    }),
);

test(
  "createRedisLedger() expires a day 400 days after its beginning",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const store = createRedisLedger(url(), { clock: new FakeClock(NOON), connect });
      const old = shiftDay(DAY, -399);
      await store.write({ id: "1", rows: [row(1), row(1, { day: old })] }, NOON);
      const ttlOf = async (day: string) =>
        Math.ceil(
          Number(await evaluate("return redis.call('PTTL', KEYS[1])", `gateway:{limits}:ledger:${day}`)) /
            3_600_000,
        );
      assert.equal(await ttlOf(DAY), 400 * 24 - 12);
      assert.equal(await ttlOf(old), 12);
    }),
);

test(
  "createRedisLedger() counts fields that it cannot read",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const store = createRedisLedger(url(), { clock: new FakeClock(NOON), connect });
      await store.write({ id: "1", rows: [row(1)] }, NOON);
      const key = `gateway:{limits}:ledger:${DAY}`;
      await evaluate(
        "return redis.call('HSET', KEYS[1], 'x', '1', '[\"model\"]1', '1', '[\"model\",\"a\",\"b\"]2', '-5')",
        key,
      );
      const { rows, damaged } = await store.read({ from: DAY, to: DAY });
      assert.deepEqual(rows, [row(1)]);
      assert.equal(damaged, 3);
    }),
);

test(
  "createRedisLedger() connects again after an outage, and loses no rows",
  { skip: MISSING },
  () =>
    withConnections(async (connect) => {
      const clock = new FakeClock(NOON);
      let isDown = true;
      const store = createRedisLedger(url(), {
        clock,
        connect: (address) => isDown ? Promise.reject(new Error("refused")) : connect(address),
      });
      const ledger = createStoredLedger(store, { clock, newId: (prefix) => `${prefix}1` });
      ledger.add(TURN);
      const log = await captureLog(async () => {
        await ledger.settle();
        await assert.rejects(
          ledger.read({ from: DAY, to: DAY }),
          /Cannot reach the ledger's store: it failed less than 1 s ago/,
        );
      });
      assert.equal(log.length, 1);
      assert.ok(!JSON.stringify(log).includes(PASSWORD));
      isDown = false;
      clock.advance(1000);
      const { rows } = await ledger.read({ from: DAY, to: DAY });
      assert.deepEqual(rows.map(({ counts }) => counts.turns), [1, 1]);
      await ledger.settle();
      assert.equal(clock.waiting, 0);
    }),
);
