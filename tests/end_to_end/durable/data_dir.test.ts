import assert from "node:assert/strict";
import { mkdirSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { ConfigError } from "../../../lib/config/parse.ts";
import { createAnswerStore, KEEP_MS } from "../../../lib/durable/answer_store.ts";
import { openDataDir } from "../../../lib/durable/data_dir.ts";
import { createGateway } from "../../../lib/gateway.ts";
import { newId } from "../../../lib/runtime/ids.ts";
import { nextTask } from "../../../lib/runtime/next_task.ts";
import { openDatabase } from "../../../lib/runtime/sqlite.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway } from "../../kit/gateway.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeDelta } from "../../kit/streams.ts";

const newFolder = createFolders();
const needsSqlite = { skip: NO_SQLITE };
const KEYED = { headers: { "idempotency-key": "order-1" } };
const STREAMED = minimalRequest("chat", { stream: true });

test(
  "DATA_DIR without SQLite is one line that names DATA_DIR and Node 22",
  { skip: NO_SQLITE === false },
  () => {
    assert.throws(() => createGateway({ settings: { DATA_DIR: newFolder() } }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.match(error.message, /^Cannot use DATA_DIR "[^\n]*Node 22[^\n]*$/);
      return true;
    });
  },
);

test("DATA_DIR is created for the account of the program only", needsSqlite, async () => {
  const folder = newFolder();
  const gateway = createTestGateway({ settings: { DATA_DIR: folder } });
  for (const name of ["", "files", "gateways"]) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o700, name);
  }
  for (const name of readdirSync(folder).filter((entry) => entry.startsWith("gateway.sqlite"))) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name);
  }
  await gateway.stop();
  await gateway.stop();
  assert.deepEqual(readdirSync(join(folder, "gateways")), []);
});

test("DATA_DIR that cannot be used is a mistake with its reason", needsSqlite, () => {
  const cases: [what: string, prepare: (folder: string) => string, reason: RegExp][] = [
    ["a file", (folder) => {
      writeFileSync(folder, "");
      return folder;
    }, /not a folder/],
    ["a damaged database", (folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, "gateway.sqlite"), "no database".repeat(1000));
      return folder;
    }, /damaged/],
    ["a newer database", (folder) => {
      mkdirSync(folder);
      const database = openDatabase(join(folder, "gateway.sqlite"));
      database.exec("PRAGMA user_version = 999");
      database.close();
      return folder;
    }, /newer version/],
  ];
  for (const [what, prepare, reason] of cases) {
    const parent = newFolder();
    mkdirSync(parent, { recursive: true });
    const folder = prepare(join(parent, "data"));
    assert.throws(() => createGateway({ settings: { DATA_DIR: folder } }), (error) => {
      assert.ok(error instanceof ConfigError, what);
      assert.match(error.message, /^Cannot use DATA_DIR /, what);
      assert.match(error.message, reason, what);
      return true;
    });
  }
});

test("DATA_DIR keeps answers across a restart", needsSqlite, async () => {
  const settings = { DATA_DIR: newFolder() };
  for (const body of [STREAMED, minimalRequest("chat")]) {
    const key = { headers: { "idempotency-key": String(body.stream) } };
    const first = createTestGateway({ settings, upstream: { body: COMPLETE_STREAMS.chat } });
    const text = await (await first.post(body, key)).text();
    await first.stop();
    const second = createTestGateway({ settings, clock: first.clock });
    const response = await second.post(body, key);
    assert.equal(await response.text(), text);
    assert.equal(response.headers.get("x-gateway-model"), "openrouter/vendor/model");
    assert.equal((await second.post({ ...body, max_tokens: 65 }, key)).status, 409);
    assert.equal(second.upstream.requests.length, 0);
    await second.stop();
    const clock = new FakeClock(first.clock.now() + KEEP_MS + 1);
    const third = createTestGateway({ settings, clock, upstream: { body: COMPLETE_STREAMS.chat } });
    await (await third.post(body, key)).text();
    assert.equal(third.upstream.requests.length, 1, "after a day the request is sent again");
    await third.stop();
  }
});

test(
  "Gateways that share DATA_DIR create an answer once, and stream it to the clients of each",
  needsSqlite,
  async () => {
    const settings = { DATA_DIR: newFolder() };
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
    const writer = writable.getWriter();
    const write = (text: string) => writer.write(new TextEncoder().encode(text));
    const one = createTestGateway({ settings, upstream: { body: readable } });
    const other = createTestGateway({ settings });
    const first = one.post(STREAMED, KEYED);
    await write(writeDelta({ content: "one" }));
    await first;
    one.clock.advance(1000);
    const reader = (await other.post(STREAMED, KEYED)).body?.getReader();
    const start = new TextDecoder().decode((await reader?.read())?.value);
    assert.match(start, /message_start[\s\S]*one/);
    await write(writeDelta({ content: "two" }, { finish_reason: "stop" }));
    await writer.close();
    const text = await (await first).text();
    let rest = "";
    for (let done = false; !done;) {
      let piece: Awaited<ReturnType<NonNullable<typeof reader>["read"]>> | undefined;
      void reader?.read().then((read) => piece = read);
      for (; piece === undefined; await nextTask()) other.clock.advance(1000);
      done = piece.done;
      rest += new TextDecoder().decode(piece.value);
    }
    assert.equal(start + rest, text);
    assert.equal(other.upstream.requests.length, 0);
    await one.stop();
    await other.stop();
  },
);

test(
  "createAnswerStore() assigns an answer to the next gateway if its gateway has ended",
  needsSqlite,
  async () => {
    const folder = newFolder();
    const [one, other] = [openDataDir(folder, { newId }), openDataDir(folder, { newId })];
    const claim = { owner: "key:alice", key: "k", fingerprint: "f" };
    const stores = [createAnswerStore(one, { newId }), createAnswerStore(other, { newId })];
    const first = await stores[0]?.claim(claim, 0);
    assert.ok(first?.kind === "own");
    const { id, attempt } = first.held;
    assert.deepEqual(await stores[1]?.claim(claim, 0), { kind: "kept", id, round: 0 });
    assert.deepEqual(await stores[1]?.state(id), { state: "running" });
    await one.close();
    assert.deepEqual(await stores[1]?.state(id), { state: "lost" });
    assert.deepEqual(await stores[1]?.claim({ ...claim, fingerprint: "other" }, 0), { kind: "conflict" });
    const held = { id, attempt: attempt + 1 };
    assert.deepEqual(await stores[1]?.claim(claim, 0), { kind: "own", held, round: 1 });
    await stores[1]?.finish(first.held, 0);
    assert.deepEqual(
      await stores[1]?.state(id),
      { state: "running" },
      "the first gateway cannot end the answer",
    );
    await other.close();
  },
);

test("A database that fails ends no answer", needsSqlite, async (t) => {
  const folder = newFolder();
  const gateway = createTestGateway({
    settings: { DATA_DIR: folder, LOG_LEVEL: "off" },
    upstream: { body: COMPLETE_STREAMS.chat },
  });
  const database = openDatabase(join(folder, "gateway.sqlite"));
  t.after(() => database.close());
  database.exec("DROP TABLE answer_pieces");
  assert.match(await (await gateway.post(STREAMED, KEYED)).text(), /message_stop/);
  await gateway.stop();
});

test("An answer that ends while its gateway stops is kept", needsSqlite, async () => {
  const settings = { DATA_DIR: newFolder() };
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
  const first = createTestGateway({ settings, upstream: { body: readable } });
  const pending = first.post(STREAMED, KEYED);
  while (first.upstream.requests.length === 0) await nextTask();
  const stopped = first.stop();
  const writer = writable.getWriter();
  await writer.write(new TextEncoder().encode(COMPLETE_STREAMS.chat));
  await writer.close();
  await stopped;
  const text = await (await pending).text();
  const second = createTestGateway({ settings, clock: first.clock });
  assert.equal(await (await second.post(STREAMED, KEYED)).text(), text);
  assert.equal(second.upstream.requests.length, 0);
  await second.stop();
});
