import assert from "node:assert/strict";
import { test } from "node:test";
import { createAnswerStore } from "../../../lib/durable/answer_store.ts";
import { createBatchQueue } from "../../../lib/durable/batch_queue.ts";
import { createDiskUsage } from "../../../lib/durable/usage.ts";
import { createBatchStore } from "../../../lib/durable/batch_store.ts";
import { openDataDir } from "../../../lib/durable/data_dir.ts";
import type { DataStore } from "../../../lib/durable/data_store.ts";
import type { Database } from "../../../lib/durable/database.ts";
import { newId } from "../../../lib/runtime/ids.ts";
import { captureLog } from "../../kit/log.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";

const newFolder = createFolders();
const NOW = Date.now();
const CLAIM = { owner: "key:alice", key: "k", fingerprint: "f" };

/** Defines a test with a database that executes each statement, but loses the reply if `lost.next` is true. */
function replyTest(
  name: string,
  run: (store: DataStore, lost: { next: boolean }) => Promise<void>,
): void {
  test(name, { skip: NO_SQLITE }, async () => {
    const store = openDataDir(newFolder(), { newId });
    const lost = { next: false };
    try {
      await run({ ...store, database: losesReplies(store.database, lost) }, lost);
    } finally {
      await store.close();
    }
  });
}

function losesReplies(database: Database, lost: { next: boolean }): Database {
  const lose = async <Result>(reply: Promise<Result>): Promise<Result> => {
    const result = await reply;
    if (!lost.next) return result;
    lost.next = false;
    throw Object.assign(new Error("the connection has ended"), { code: "CONNECTION_CLOSED" });
  };
  return {
    locks: database.locks,
    lock: database.lock,
    run: (sql, ...values) => lose(database.run(sql, ...values)),
    get: (sql, ...values) => lose(database.get(sql, ...values)),
    all: (sql, ...values) => lose(database.all(sql, ...values)),
    transaction: (work) => lose(database.transaction(work)),
  };
}

replyTest("An answer whose claim has no reply is claimed again", async (store, lost) => {
  const answers = createAnswerStore(store, { newId });
  for (const name of ["first", "again"]) {
    lost.next = true;
    await assert.rejects(answers.claim(CLAIM, NOW), /connection has ended/, name);
  }
  assert.equal((await answers.claim(CLAIM, NOW)).kind, "own");
  assert.equal((await answers.claim(CLAIM, NOW)).kind, "kept");
});

replyTest("A request of a batch whose claim has no reply is claimed again", async (store, lost) => {
  const [batches, queue] = [
    createBatchStore(store, createDiskUsage(store, { quotaMiB: 100 })),
    createBatchQueue(store),
  ];
  const number = await batches.begin({ id: "batch_1", owner: "o", caller: "{}", now: NOW });
  const items = ["a", "b", "c"].map((customId, nth) => ({ nth, customId, params: "{}" }));
  await batches.add(number, items);
  await batches.complete(number, { count: items.length, bytes: 0, now: NOW });
  assert.equal((await queue.claim(number, NOW))?.nth, 0);
  lost.next = true;
  await assert.rejects(queue.claim(number, NOW), /connection has ended/);
  await queue.recover();
  assert.equal((await queue.claim(number, NOW))?.nth, 1, "the one without a reply");
  assert.equal((await queue.claim(number, NOW))?.nth, 2);
  await queue.recover();
  assert.equal(await queue.claim(number, NOW), undefined, "the others are still answered");
});

replyTest("A batch that was removed during its upload is not completed", async (store) => {
  const batches = createBatchStore(store, createDiskUsage(store, { quotaMiB: 100 }));
  const number = await batches.begin({ id: "batch_1", owner: "o", caller: "{}", now: NOW });
  await batches.remove(number);
  await assert.rejects(batches.complete(number, { count: 1, bytes: 0, now: NOW }), /Cannot create the batch/);
  assert.equal(await batches.find("o", "batch_1"), undefined);
});

replyTest("A batch that cannot be discarded is removed later", async (store) => {
  let fails = true;
  const run: Database["run"] = (...query) =>
    fails ? Promise.reject(new Error("the disk is full")) : store.database.run(...query);
  const batches = createBatchStore(
    { ...store, database: { ...store.database, run } },
    createDiskUsage(store, { quotaMiB: 100 }),
  );
  const number = await batches.begin({ id: "batch_1", owner: "o", caller: "{}", now: NOW });
  await batches.add(number, [{ nth: 0, customId: "a", params: "{}" }]);
  const lines = await captureLog(() => batches.discard(number), "warn");
  assert.match(lines.join("\n"), /batch not removed, trying again/);
  fails = false;
  for (let turn = 0; turn < 2; turn++) await batches.removeOld(NOW);
  assert.equal(await store.database.get("SELECT 1 FROM batches"), undefined);
  assert.equal(await store.database.get("SELECT 1 FROM batch_items"), undefined);
});

replyTest("The steps of a request that expires are removed", async (store) => {
  const [batches, queue] = [
    createBatchStore(store, createDiskUsage(store, { quotaMiB: 100 })),
    createBatchQueue(store),
  ];
  const number = await batches.begin({ id: "batch_1", owner: "o", caller: "{}", now: NOW });
  await batches.add(number, [{ nth: 0, customId: "a", params: "{}" }]);
  await batches.complete(number, { count: 1, bytes: 0, now: NOW });
  await store.database.run("INSERT INTO steps VALUES (?, 'turn', '{}')", `batch ${number} 0`);
  assert.equal(await queue.closePending(number, { outcome: "expired", limit: 5, now: NOW }), 1);
  assert.equal(await store.database.get("SELECT 1 FROM steps"), undefined);
});
