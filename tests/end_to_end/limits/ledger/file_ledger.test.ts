import assert from "node:assert/strict";
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { addCounts, NO_COUNTS } from "../../../../lib/limits/ledger/counts.ts";
import { shiftDay } from "../../../../lib/limits/ledger/days.ts";
import { createFileLedger } from "../../../../lib/limits/ledger/file_ledger.ts";
import type { LedgerStore } from "../../../../lib/limits/ledger/ledger_store.ts";
import type { LedgerRow } from "../../../../lib/limits/ledger/table.ts";
import { FakeClock } from "../../../kit/clock.ts";
import { createTestGateway } from "../../../kit/gateway.ts";
import { minimalRequest } from "../../../kit/requests/request.ts";
import { writeChunks } from "../../../kit/streams.ts";

const root = mkdtempSync(join(tmpdir(), "ledger-"));
after(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = () => join(root, String(folders++));
const DAY = "2026-11-30";
const NOON = Date.UTC(2026, 10, 30, 12);
const fileOf = (folder: string, day = DAY) => join(folder, "ledger", `${day}.jsonl`);

function row(turns: number, { day = DAY, name = "openrouter/a/b" } = {}): LedgerRow {
  return { day, by: "model", client: "ci", name, counts: { ...NO_COUNTS, turns, reported: 1, last: NOON } };
}

async function turnsIn(store: LedgerStore, from = DAY, to = from): Promise<number> {
  const { rows } = await store.read({ from, to });
  return addCounts(rows.map(({ counts }) => counts)).turns;
}

test("createFileLedger() keeps its rows across a restart", async () => {
  const folder = newFolder();
  const store = createFileLedger(folder);
  assert.deepEqual(await store.read({ from: DAY, to: DAY }), { rows: [], since: undefined, damaged: 0 });
  await store.write({ id: "1", rows: [row(1), row(2, { name: "=cmd|'x'!A\n€" })] }, NOON);
  await store.write({ id: "2", rows: [row(4), row(8, { day: "2026-12-01" })] }, NOON);
  const again = createFileLedger(folder);
  const { rows, since, damaged } = await again.read({ from: "2026-11-01", to: "2026-12-31" });
  assert.deepEqual([since, damaged], [DAY, 0]);
  const twice = { ...row(5).counts, reported: 2 };
  assert.deepEqual(rows, [
    { ...row(5), counts: twice },
    row(2, { name: "=cmd|'x'!A\n€" }),
    row(8, { day: "2026-12-01" }),
  ]);
  assert.equal(await turnsIn(again), 7, "a range does not have the days around it");
  assert.equal(await turnsIn(again, DAY, "2026-12-01"), 15);
});

test("createFileLedger() creates files that only their user can read", {
  skip: process.platform === "win32",
}, async () => {
  const folder = newFolder();
  const store = createFileLedger(folder, { maxLines: 2 });
  for (const id of ["1", "2", "3"]) {
    await store.write({ id, rows: [row(1)] }, NOON);
    assert.equal(statSync(fileOf(folder)).mode & 0o077, 0);
  }
  assert.equal(statSync(join(folder, "ledger")).mode & 0o077, 0);
});

test("createFileLedger() ignores a batch that it has", async () => {
  const folder = newFolder();
  const batch = { id: "1", rows: [row(1), row(2, { day: "2026-12-01" })] };
  const store = createFileLedger(folder, { maxLines: 1 });
  for (let nth = 0; nth < 3; nth++) await store.write(batch, NOON);
  await createFileLedger(folder).write(batch, NOON);
  assert.equal(await turnsIn(store, DAY, "2026-12-01"), 3);
});

test("createFileLedger() rewrites a long file, and that of a past day, as one line", async () => {
  const folder = newFolder();
  const store = createFileLedger(folder, { maxLines: 10 });
  for (let nth = 0; nth < 25; nth++) await store.write({ id: String(nth), rows: [row(1)] }, NOON);
  assert.ok(readFileSync(fileOf(folder), "utf8").split("\n").length <= 11);
  await store.write({ id: "next", rows: [row(1, { day: "2026-12-01" })] }, NOON);
  assert.equal(readFileSync(fileOf(folder), "utf8").split("\n").length, 2);
  assert.equal(await turnsIn(store), 25);
  assert.deepEqual(readdirSync(join(folder, "ledger")).sort(), ["2026-11-30.jsonl", "2026-12-01.jsonl"]);
});

test("createFileLedger() removes only the files of days that ended 400 days ago", async () => {
  const folder = newFolder();
  mkdirSync(join(folder, "ledger"), { recursive: true });
  const [last, tooOld] = [shiftDay(DAY, -399), shiftDay(DAY, -400)];
  for (const day of [last, tooOld]) writeFileSync(fileOf(folder, day), "");
  writeFileSync(join(folder, "ledger", "notes.txt"), "mine");
  await createFileLedger(folder).write({ id: "1", rows: [row(1)] }, NOON);
  assert.deepEqual(readdirSync(join(folder, "ledger")).sort(), [
    `${last}.jsonl`,
    `${DAY}.jsonl`,
    "notes.txt",
  ]);
});

test("createFileLedger() keeps most days while the clock is years ahead", async () => {
  const folder = newFolder();
  mkdirSync(join(folder, "ledger"), { recursive: true });
  const days = Array.from({ length: 100 }, (_, ago) => shiftDay(DAY, -ago));
  for (const day of days) writeFileSync(fileOf(folder, day), "");
  const store = createFileLedger(folder);
  for (const day of ["2031-01-01", "2031-01-02"]) {
    await store.write({ id: day, rows: [row(1, { day })] }, NOON);
  }
  assert.equal(readdirSync(join(folder, "ledger")).length, 2 + 94);
  await store.write({ id: "1", rows: [row(1)] }, NOON);
  assert.equal(await turnsIn(store), 1);
});

test("createFileLedger() continues after a line that a crash truncated", async () => {
  const folder = newFolder();
  const store = createFileLedger(folder);
  await store.write({ id: "1", rows: [row(1)] }, NOON);
  await store.write({ id: "2", rows: [row(2)] }, NOON);
  truncateSync(fileOf(folder), statSync(fileOf(folder)).size - 9);
  const next = createFileLedger(folder);
  await next.write({ id: "3", rows: [row(4)] }, NOON);
  assert.equal((await next.read({ from: DAY, to: DAY })).damaged, 1);
  assert.equal(await turnsIn(next), 5, "the cut batch is lost, not the one after it");
});

for (
  const line of [
    "garbage",
    "null",
    "[]",
    '{"batch":"9"}',
    '{"batch":"9","rows":[{"by":"model","client":"ci","name":"m","turns":-1}]}',
    '{"batch":"9","rows":[{"by":"model","client":"ci","name":"m","turns":0.5}]}',
    '{"batch":"9","rows":[{"by":"model","client":"ci","name":"m","reported":1e300}]}',
    '{"batch":"9","rows":[{"by":"user","client":"ci","name":"m"}]}',
    '{"batch":"9","rows":[{"by":"model","client":"ci","name":"m","__proto__":{"turns":1}}]}',
  ]
) {
  test(`createFileLedger() counts a damaged line and keeps it: ${line}`, async () => {
    const folder = newFolder();
    const store = createFileLedger(folder, { maxLines: 2 });
    await store.write({ id: "1", rows: [row(1)] }, NOON);
    appendFileSync(fileOf(folder), `${line}\n`);
    await store.write({ id: "2", rows: [row(2)] }, NOON);
    await store.write({ id: "3", rows: [row(4, { day: "2026-12-01" })] }, NOON);
    assert.equal((await store.read({ from: DAY, to: DAY })).damaged, 1);
    assert.equal(await turnsIn(store), 3);
    assert.match(
      readFileSync(fileOf(folder), "utf8"),
      new RegExp(`^${line.replace(/[^\w]/g, "\\$&")}$`, "m"),
    );
  });
}

test("createFileLedger() does not follow a link in place of its temporary file", async () => {
  const folder = newFolder();
  const store = createFileLedger(folder, { maxLines: 1 });
  mkdirSync(join(folder, "ledger"), { recursive: true });
  const other = join(root, "other");
  writeFileSync(other, "mine");
  symlinkSync(other, `${fileOf(folder)}.new`);
  await store.write({ id: "1", rows: [row(1)] }, NOON);
  assert.equal(readFileSync(other, "utf8"), "mine");
  assert.equal(await turnsIn(store), 1);
});

test("createFileLedger() rejects while its folder cannot be written", async () => {
  const folder = newFolder();
  const store = createFileLedger(folder);
  mkdirSync(folder);
  writeFileSync(join(folder, "ledger"), "");
  await assert.rejects(store.write({ id: "1", rows: [row(1)] }, NOON));
  rmSync(join(folder, "ledger"));
  await store.write({ id: "1", rows: [row(1)] }, NOON);
  assert.equal(await turnsIn(store), 1);
});

const CHUNK = {
  choices: [{ delta: { content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 10, completion_tokens: 5, prompt_tokens_details: { cached_tokens: 4 }, cost: 0.5 },
};

test("STATE_DIR has the spend of each turn when the gateway has stopped", async () => {
  const STATE_DIR = newFolder();
  const clock = new FakeClock(NOON);
  const settings = { STATE_DIR, LIMITS: { each: { usd_day: 1 } } };
  const gateway = createTestGateway({ settings, clock, upstream: { body: writeChunks(CHUNK) } });
  const statuses = [];
  for (let nth = 0; nth < 3; nth++) {
    const headers = { "x-claude-code-session-id": "s1" };
    statuses.push((await gateway.post(minimalRequest("chat"), { headers })).status);
  }
  assert.deepEqual(statuses, [200, 200, 402]);
  await gateway.stop();
  const { rows } = await createFileLedger(STATE_DIR).read({ from: DAY, to: DAY });
  const counts = {
    ...NO_COUNTS,
    requests: 2,
    turns: 2,
    reported: 1_000_000_000,
    input: 12,
    cacheRead: 8,
    output: 10,
    last: NOON,
  };
  assert.deepEqual(rows, [
    { day: DAY, by: "model", client: "local", name: "openrouter/vendor/model", counts },
    { day: DAY, by: "session", client: "local", name: "s1", counts },
  ]);
});
