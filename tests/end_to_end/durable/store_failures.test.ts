import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { StoreError } from "../../../lib/base/store_error.ts";
import { connectPostgres, toStoreError } from "../../../lib/durable/postgres/postgres_database.ts";
import { createSqliteDatabase } from "../../../lib/durable/sqlite/sqlite_database.ts";
import { describeSqliteError } from "../../../lib/durable/sqlite/sqlite_errors.ts";
import { openDatabase } from "../../../lib/runtime/sqlite.ts";
import { createFolders, NO_SQLITE } from "../../kit/data_dir.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { captureLog } from "../../kit/log.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { SEARCH, SEARCHING, WEATHER } from "../../kit/requests/searched_tools.ts";
import { COMPLETE_STREAMS } from "../../kit/streams.ts";
import type { FakeResponse } from "../../kit/upstream.ts";
import { createStoreTest } from "./test_stores.ts";

const newFolder = createFolders();
const storeTest = createStoreTest();
const needsSqlite = { skip: NO_SQLITE };
const GATEWAY_API_KEYS = "alice:key-of-alice-1234";
const KEY = { "x-api-key": "key-of-alice-1234" };

async function upload(gateway: TestGateway): Promise<Response> {
  const form = new FormData();
  form.append("file", new File(["text"], "a.txt"));
  const init = { method: "POST", headers: KEY, body: form };
  return await gateway.fetch(new Request("http://gateway.test/v1/files", init));
}

/** The triggers by which a database fails as if its disk were full, for each new row of a table. */
const FULL_SQLITE = (table: string, when = "TRUE") =>
  `CREATE TRIGGER full_${table} BEFORE INSERT ON ${table} WHEN ${when}
    BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END`;
const FULL_POSTGRES = (table: string) =>
  `CREATE OR REPLACE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'could not extend file "base/5/16405"' USING ERRCODE = '53100'; END $$;
   CREATE TRIGGER full_${table} BEFORE INSERT ON ${table} EXECUTE FUNCTION fail()`;

storeTest("A request that a full store cannot serve fails with the reason", async (newStore) => {
  const settings = { ...await newStore(), GATEWAY_API_KEYS };
  const gateway = createTestGateway({ settings, upstream: { body: COMPLETE_STREAMS.chat } });
  await gateway.ready();
  if (settings.DATA_DIR !== undefined) {
    const database = openDatabase(join(String(settings.DATA_DIR), "gateway.sqlite"));
    for (const table of ["files", "answers"]) database.exec(FULL_SQLITE(table));
    database.close();
  } else {
    const sql = await connectPostgres(String(settings.DATA_URL), { max: 1 });
    for (const table of ["files", "answers"]) await sql.unsafe(FULL_POSTGRES(table));
    await sql.end();
  }
  const reason = settings.DATA_DIR === undefined ? "its disk is full" : "its file system is full";
  const message = `Cannot use the gateway's data store: ${reason}`;
  const lines = await captureLog(async () => {
    const keyed = { headers: { ...KEY, "idempotency-key": "order-1" } };
    for (const response of [await upload(gateway), await gateway.post(minimalRequest("chat"), keyed)]) {
      assert.equal(response.status, 500);
      assert.deepEqual((await response.json()).error, { type: "api_error", message });
    }
  }, "error");
  const logged = lines.map((line) => JSON.parse(line));
  assert.deepEqual(logged.map(({ failure }) => failure), ["store", "store"]);
  for (const { error } of logged) {
    assert.match(error, /Cannot use the gateway's data store: .*(disk is full|could not extend file)/);
  }
  await gateway.stop();
});

const FAILING: FakeResponse = {
  status: 503,
  headers: { "content-type": "application/json" },
  body: '{"error":{"message":"Busy"}}',
};

/** Steps that cannot be recorded: the first reply of the upstream, and the condition of their rows. */
const FULL_STEPS: [step: string, reply: FakeResponse, when: string][] = [
  ["the failure of an upstream", FAILING, "TRUE"],
  ["the run of a tool", { body: SEARCHING.join("") }, "NEW.name LIKE '%tool%'"],
];

for (const [step, reply, when] of FULL_STEPS) {
  test(
    `An answer whose store cannot record ${step} fails, and asks no other model`,
    needsSqlite,
    async () => {
      const folder = newFolder();
      const gateway = createTestGateway({
        settings: {
          DATA_DIR: folder,
          GATEWAY_API_KEYS,
          MODEL_MAP: { fast: { model: "vendor/model", fallbacks: ["vendor/other"] } },
        },
        upstream: [reply, { body: COMPLETE_STREAMS.chat }],
      });
      await gateway.ready();
      const database = openDatabase(join(folder, "gateway.sqlite"));
      database.exec(FULL_SQLITE("steps", when));
      database.close();
      const lines = await captureLog(async () => {
        const response = await gateway.post(
          { ...minimalRequest("chat", { tools: [SEARCH, WEATHER] }), model: "fast" },
          { headers: { ...KEY, "idempotency-key": "order-1" } },
        );
        assert.equal(response.status, 500);
        const message = "Cannot use the gateway's data store: its file system is full";
        assert.deepEqual((await response.json()).error, { type: "api_error", message });
      }, "error");
      assert.deepEqual(lines.map((line) => JSON.parse(line).failure), ["store"]);
      assert.equal(gateway.upstream.requests.length, 1);
      await gateway.stop();
    },
  );
}

test("POST /v1/files fails with the reason if the folder of the files is gone", needsSqlite, async () => {
  const folder = newFolder();
  const gateway = createTestGateway({ settings: { DATA_DIR: folder, GATEWAY_API_KEYS, LOG_LEVEL: "off" } });
  rmSync(join(folder, "files"), { recursive: true });
  const response = await upload(gateway);
  assert.equal(response.status, 500);
  const message = "Cannot use the gateway's data store: it cannot be read and written (ENOENT)";
  assert.deepEqual((await response.json()).error, { type: "api_error", message });
  await gateway.stop();
});

/** Ways in which SQLite itself fails, and the reasons. */
const SQLITE_FAILURES: [how: string, fill: (path: string) => void, reason: string][] = [
  ["full", () => {}, "its file system is full"],
  [
    "no database",
    (path) => writeFileSync(path, "text ".repeat(1000)),
    "its gateway.sqlite is damaged; restore or remove it",
  ],
];

for (const [how, fill, reason] of SQLITE_FAILURES) {
  test(`createSqliteDatabase() reports a file that is ${how}`, needsSqlite, async () => {
    const path = newFolder();
    mkdirSync(dirname(path), { recursive: true });
    fill(path);
    const connection = openDatabase(path);
    const database = createSqliteDatabase(connection, path);
    const use = async () => {
      await database.run("PRAGMA max_page_count = 2");
      await database.run("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
      await database.transaction(async ({ run }) => {
        await run("INSERT INTO notes VALUES (?)", "x".repeat(100_000));
      });
    };
    await assert.rejects(use, (error) => {
      assert.ok(error instanceof StoreError);
      assert.equal(error.reason, reason);
      assert.ok(error.cause instanceof Error);
      return true;
    });
    connection.close();
  });
}

/** Codes of errors of PostgreSQL's client and server, and the reasons; `undefined` for a defect. */
const POSTGRES_CODES: [code: string, reason: string | undefined][] = [
  ["CONNECTION_CLOSED", "it is unreachable"],
  ["ECONNREFUSED", "it is unreachable"],
  ["28P01", "its password is refused"],
  ["53100", "its disk is full"],
  ["42P01", undefined],
  ["ERR_INVALID_ARG_TYPE", undefined],
];

for (const [code, reason] of POSTGRES_CODES) {
  test(`toStoreError() returns ${reason ?? "the error itself"} for ${code}`, () => {
    const cause = Object.assign(new Error("failed"), { code });
    const error = toStoreError(cause);
    if (reason === undefined) return assert.equal(error, cause);
    assert.ok(error instanceof StoreError);
    assert.equal(error.reason, reason);
  });
}

test("describeSqliteError() names a damaged schema, and no wrong JSON", () => {
  const describe = (message: string) => describeSqliteError(new Error(message));
  assert.match(describe('malformed database schema (files) - near "x": syntax error') ?? "", /is damaged/);
  assert.equal(describe("malformed JSON"), undefined);
});

test("createSqliteDatabase() reports a transaction that cannot be rolled back", async () => {
  const fail = () => {
    throw new Error("disk I/O error");
  };
  const begin = () => ({ commit: fail, rollBack: fail });
  const connection = { exec: fail, run: () => 0, get: () => undefined, all: () => [], begin, close() {} };
  const database = createSqliteDatabase(connection, "rolled-back");
  await assert.rejects(database.transaction(() => Promise.resolve()), StoreError);
  assert.equal(await database.run("SELECT 1"), 0);
});

test("createSqliteDatabase() leaves the error of a wrong statement as it is", needsSqlite, async () => {
  const connection = openDatabase(":memory:");
  const database = createSqliteDatabase(connection, ":memory:");
  const isDefect = (error: unknown) => !(error instanceof StoreError);
  await assert.rejects(database.run("INSERT INTO absent VALUES (1)"), isDefect);
  connection.close();
});
