import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "../../../lib/config/parse.ts";
import { openStores, type Stores } from "../../../lib/durable/stores.ts";
import { newId } from "../../../lib/runtime/ids.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createTestGateway } from "../../kit/gateway.ts";
import { captureLog } from "../../kit/log.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../../kit/streams.ts";
import { findPort } from "../servers/find_port.ts";
import { NO_POSTGRES, PASSWORD, startPostgres } from "../servers/postgres_server.ts";
import { createStoreTest, type NewStore } from "./test_stores.ts";

const storeTest = createStoreTest();

/** Opens a store for two gateways while a test runs. */
function withTwo(run: (one: Stores, other: Stores, clock: FakeClock) => Promise<void>) {
  return async (newStore: NewStore) => {
    const clock = new FakeClock(NOW);
    const two = await openTwo(newStore, clock);
    try {
      await run(...two, clock);
    } finally {
      await Promise.all(two.map((stores) => stores.close()));
    }
  };
}

async function openTwo(newStore: NewStore, clock: FakeClock): Promise<[Stores, Stores]> {
  const { DATA_DIR, DATA_URL } = await newStore();
  const openOne = () => {
    const folders = { dataDir: DATA_DIR?.toString(), dataUrl: DATA_URL?.toString() };
    const stores = openStores({ ...folders, clock, newId, quotaMiB: 100 });
    assert.ok(stores !== undefined);
    return stores;
  };
  return [openOne(), openOne()];
}

const NOW = Date.now();
const CLAIM = { owner: "key:alice", key: "k", fingerprint: "f" };

storeTest(
  "One of several concurrent claims of a key succeeds",
  withTwo(async (one, other) => {
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, nth) => (nth % 2 ? one : other).answers.claim(CLAIM, NOW)),
    );
    const kinds = claims.map((claim) => claim.kind).sort();
    assert.deepEqual(kinds, [...Array(39).fill("kept"), "own"]);
  }),
);

storeTest(
  "Each request of a batch is claimed once, and counted once",
  withTwo(async (one, other) => {
    const { batches, queue } = one;
    const number = await batches.begin({ id: "batch_1", owner: "o", caller: "{}", now: NOW });
    const items = Array.from({ length: 60 }, (_, nth) => ({ nth, customId: `id-${nth}`, params: "{}" }));
    assert.equal(await batches.add(number, items), undefined);
    assert.equal(await batches.add(number, [{ nth: 60, customId: "id-3", params: "{}" }]), 60);
    await batches.complete(number, { count: 60, bytes: 0, now: NOW });
    const claimed: number[] = [];
    await Promise.all(
      Array.from({ length: 8 }, async (_, nth) => {
        const from = nth % 2 === 0 ? queue : other.queue;
        while (await from.hasPending(number, NOW)) {
          const item = await from.claim(number, NOW);
          if (item === undefined) continue;
          claimed.push(item.nth);
          const end = { outcome: "succeeded", result: "{}", now: NOW } as const;
          await Promise.all([from.finish(item, end), from.finish(item, end)]);
        }
      }),
    );
    assert.deepEqual(claimed.toSorted((a, b) => a - b), items.map(({ nth }) => nth));
    const batch = await other.batches.find("o", "batch_1");
    assert.deepEqual([batch?.status, batch?.counts.succeeded, batch?.counts.processing], ["ended", 60, 0]);
  }),
);

storeTest(
  "One of several concurrent starts of a step succeeds, and its first result stays",
  withTwo(async (one, other) => {
    const begun = await Promise.all(
      Array.from({ length: 20 }, (_, nth) => (nth % 2 ? one : other).steps.begin("run", "tool")),
    );
    assert.equal(begun.filter(Boolean).length, 1);
    await one.steps.finish("run", "tool", '"one"');
    await other.steps.finish("run", "tool", '"two"');
    assert.equal(await one.steps.find("run", "tool"), '"one"');
  }),
);

storeTest(
  "The claims of a gateway are released when it ends",
  withTwo(async (one, other) => {
    const number = await one.batches.begin({ id: "batch_1", owner: "o", caller: "{}", now: NOW });
    await one.batches.add(number, [{ nth: 0, customId: "a", params: "{}" }]);
    await one.batches.complete(number, { count: 1, bytes: 0, now: NOW });
    const claim = await one.answers.claim(CLAIM, NOW);
    assert.ok(claim.kind === "own");
    assert.ok(await one.queue.claim(number, NOW));
    await other.queue.recover();
    assert.equal(await other.queue.claim(number, NOW), undefined);
    assert.deepEqual(await other.answers.state(claim.held.id), { state: "running" });
    await one.close();
    await other.queue.recover();
    assert.equal((await other.queue.claim(number, NOW))?.nth, 0);
    assert.deepEqual(await other.answers.state(claim.held.id), { state: "lost" });
    assert.equal((await other.answers.claim(CLAIM, NOW)).kind, "own");
  }),
);

storeTest(
  "An answer that an engine runs is not lost with its gateway, and only one attempt writes it",
  withTwo(async (one, other) => {
    const claim = { ...CLAIM, request: '{"a":1}' };
    const claimed = await one.answers.claim(claim, NOW);
    assert.ok(claimed.kind === "own");
    const { held: { id }, round } = claimed;
    assert.deepEqual(await other.answers.claim(claim, NOW), { kind: "kept", id, round });
    const first = await one.answers.take(id, round);
    assert.deepEqual(first?.request, claim.request);
    await one.close();
    assert.deepEqual(await other.answers.state(id), { state: "running" });
    const second = await other.answers.take(id, round);
    assert.ok(first !== undefined && second !== undefined);
    await assert.rejects(other.answers.append(first.held, 0, Uint8Array.of(1)), /another gateway makes it/);
    await other.answers.fail(first.held);
    await other.answers.open(second.held, { status: 200, headers: "[]" });
    await other.answers.append(second.held, 0, Uint8Array.of(2));
    await other.answers.finish(second.held, 1);
    assert.deepEqual(await other.answers.piece(id, 0).then((piece) => piece && [...piece]), [2]);
    assert.equal(await other.answers.take(id, round), undefined, "it has ended");
  }),
);

storeTest(
  "Content without a description is removed after a time",
  withTwo(async ({ contents, files }, _other, clock) => {
    const bytes = new Uint8Array(2_500_000).map((_, at) => at);
    for (const id of ["file_known", "file_left"]) {
      const writer = await contents.create(id);
      for (let at = 0; at < bytes.length; at += 70_000) await writer.write(bytes.subarray(at, at + 70_000));
      await writer.finish();
    }
    const description = { filename: "a", mimeType: "b", createdAt: NOW, expiresAt: undefined };
    await files.add("o", { ...description, id: "file_known", sizeBytes: bytes.length });
    assert.deepEqual(await contents.read("file_known", bytes.length), bytes);
    assert.equal(await contents.read("file_known", bytes.length + 1), undefined, "a part is missing");
    assert.equal(await contents.read("file_none", bytes.length), undefined);
    assert.deepEqual(await new Response(contents.stream("file_known", bytes.length)).bytes(), bytes);
    await contents.removeLeftovers(clock.now() - 3_600_000);
    assert.deepEqual(await contents.read("file_left", bytes.length), bytes);
    await contents.removeLeftovers(clock.now() + 3_600_000);
    assert.deepEqual(await contents.read("file_known", bytes.length), bytes);
    assert.equal(await contents.read("file_left", bytes.length), undefined);
    await assert.rejects(async () =>
      assert.equal(await new Response(contents.stream("file_left", bytes.length)).bytes(), "nothing")
    );
  }),
);

test("DATA_URL that cannot be reached is a mistake without its password, and a 529", async () => {
  const url = `postgres://me:${PASSWORD}@127.0.0.1:${await findPort()}/data`;
  const gateway = createTestGateway({ settings: { DATA_URL: url } });
  let output = "";
  const lines = await captureLog(async () => {
    await assert.rejects(gateway.ready(), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(
        error.message,
        /^Cannot use DATA_URL "postgres:\/\/127\.0\.0\.1:\d+\/data": .*ECONNREFUSED/,
      );
      output = error.message;
      return true;
    });
    const response = await gateway.get("/v1/files");
    assert.equal(response.status, 529);
    assert.equal(response.headers.get("retry-after"), "5");
    output += await response.text();
  }, "debug");
  assert.doesNotMatch([output, ...lines].join("\n"), new RegExp(PASSWORD));
  await gateway.stop();
});

test("A gateway survives a restart of its database", { skip: NO_POSTGRES, timeout: 60_000 }, async (t) => {
  const server = await startPostgres();
  t.after(() => server.stop());
  const clock = new FakeClock();
  const gateway = createTestGateway({
    clock,
    settings: { DATA_URL: await server.newDatabase(), LOG_LEVEL: "off" },
    upstream: () => ({ body: COMPLETE_STREAMS.chat }),
  });
  const send = (key: string) => gateway.post(minimalRequest("chat"), { headers: { "idempotency-key": key } });
  const first = await (await send("one")).text();
  await server.restart();
  for (let response = await send("two"); response.status !== 200; response = await send("two")) {
    assert.equal(response.status, 529, await response.text());
    clock.advance(1000);
    await nextTask();
  }
  const again = await send("one");
  assert.equal(await again.text(), first, "the first answer is kept");
  assert.equal(gateway.upstream.requests.length, 2);
  await gateway.stop();
});
