import assert from "node:assert/strict";
import {
  existsSync,
  mkdtempSync,
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
import { ConfigError } from "../../../lib/config/parse.ts";
import { createGateway } from "../../../lib/gateway.ts";
import { openSpendFile } from "../../../lib/limits/spend_file.ts";
import type { Charge, Quota } from "../../../lib/limits/quota.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createTestGateway } from "../../kit/gateway.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { writeChunks, writeDelta } from "../../kit/streams.ts";
import { FakeUpstream } from "../../kit/upstream.ts";

const root = mkdtempSync(join(tmpdir(), "spend-"));
after(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = () => join(root, String(folders++), "state");
const DAY = 86_400_000;

function spend(name: string, usd: number, until = 10 * DAY): Charge {
  const meter: Quota = {
    kind: "budget",
    name,
    until,
    limit: 1,
    metric: "usd_day",
    subject: { kind: "gateway" },
  };
  return { quota: meter, amount: usd };
}

test("openSpendFile() restores the sum of each current period", () => {
  const folder = newFolder();
  const file = openSpendFile(folder, 0);
  assert.equal(file.loaded.size, 0);
  file.append([spend("a", 0.25), spend("b", 1, 2 * DAY)], 0);
  file.append([spend("a", 0.5)], 0);
  const flow: Quota = { kind: "rate", name: "f", metric: "requests", limit: 1, subject: { kind: "gateway" } };
  file.append([{ quota: flow, amount: 1 }, spend("a", 0)], 0);
  assert.equal(readFileSync(join(folder, "spend.jsonl"), "utf8").split("\n").length, 4, "three lines");
  assert.deepEqual([...openSpendFile(folder, DAY).loaded], [
    ["a", { usd: 0.75, until: 10 * DAY }],
    ["b", { usd: 1, until: 2 * DAY }],
  ]);
  assert.deepEqual([...openSpendFile(folder, 2 * DAY).loaded.keys()], ["a"]);
  assert.equal(readFileSync(join(folder, "spend.jsonl"), "utf8").split("\n").length, 2, "one line is left");
});

test("openSpendFile() compacts the file without losing spend", () => {
  const folder = newFolder();
  const file = openSpendFile(folder, 0);
  for (let nth = 0; nth < 12_000; nth++) file.append([spend("a", 0.5)], 0);
  assert.ok(statSync(join(folder, "spend.jsonl")).size < 200_000);
  assert.deepEqual(openSpendFile(folder, 0).loaded.get("a"), { usd: 6000, until: 10 * DAY });
});

test(
  "openSpendFile() creates a file that only its user can read",
  { skip: process.platform === "win32" },
  () => {
    const folder = newFolder();
    openSpendFile(folder, 0);
    assert.equal(statSync(join(folder, "spend.jsonl")).mode & 0o077, 0);
    assert.equal(statSync(folder).mode & 0o077, 0);
  },
);

test("openSpendFile() ignores an incomplete last line", () => {
  const folder = newFolder();
  const path = join(folder, "spend.jsonl");
  const file = openSpendFile(folder, 0);
  file.append([spend("a", 0.25)], 0);
  file.append([spend("a", 0.5)], 0);
  truncateSync(path, statSync(path).size - 9);
  assert.equal(openSpendFile(folder, 0).loaded.get("a")?.usd, 0.25);
});

for (
  const line of [
    "garbage",
    "",
    "null",
    '{"meter":"a"}',
    '{"meter":"a","usd":-1,"until":"2027-01-01T00:00:00.000Z"}',
    '{"meter":"a","usd":1e999,"until":"2027-01-01T00:00:00.000Z"}',
    '{"meter":"a","usd":1,"until":"soon"}',
  ]
) {
  test(`openSpendFile() rejects a damaged line: ${line}`, () => {
    const folder = newFolder();
    openSpendFile(folder, 0).append([spend("a", 0.25)], 0);
    const path = join(folder, "spend.jsonl");
    const before = `${readFileSync(path, "utf8")}${line}\n`;
    writeFileSync(path, before);
    const message =
      `Cannot use STATE_DIR "${folder}": line 2 of its spend.jsonl is damaged; repair or remove it`;
    assert.throws(
      () => openSpendFile(folder, 0),
      (error) => error instanceof ConfigError && error.message === message,
    );
    assert.equal(readFileSync(path, "utf8"), before, "it is left as it was");
  });
}

test("createGateway() rejects a STATE_DIR that cannot be a folder", () => {
  const path = join(root, "file");
  writeFileSync(path, "");
  for (const STATE_DIR of [path, join(path, "below")]) {
    assert.throws(() => createGateway({ settings: { STATE_DIR } }), (error) => {
      return error instanceof ConfigError &&
        error.message === `Cannot use STATE_DIR "${STATE_DIR}": it is not a folder`;
    });
  }
});

test("openSpendFile() does not follow a link in place of its temporary file", () => {
  const folder = newFolder();
  openSpendFile(folder, 0).append([spend("a", 0.25)], 0);
  const other = join(root, "other");
  writeFileSync(other, "mine");
  symlinkSync(other, join(folder, "spend.jsonl.new"));
  assert.equal(openSpendFile(folder, 0).loaded.get("a")?.usd, 0.25);
  assert.equal(readFileSync(other, "utf8"), "mine");
  assert.equal(existsSync(join(folder, "spend.jsonl.new")), false);
});

test("openSpendFile() retries a failed write with the next one", () => {
  const folder = newFolder();
  const file = openSpendFile(folder, 0);
  file.append([spend("a", 1)], 0);
  rmSync(folder, { recursive: true });
  file.append([spend("a", 2)], 0);
  assert.equal(existsSync(folder), false);
  openSpendFile(folder, 0);
  file.append([spend("a", 4)], 0);
  assert.equal(openSpendFile(folder, 0).loaded.get("a")?.usd, 6, "what was in the folder is gone with it");
});

const CHUNK = {
  choices: [{ delta: { content: "Hello" }, finish_reason: "stop" }],
  usage: { prompt_tokens: 1, completion_tokens: 1, cost: 0.6 },
};

test("STATE_DIR keeps a spent budget over a restart until its period ends", async () => {
  const STATE_DIR = newFolder();
  const clock = new FakeClock();
  const upstream = { body: writeChunks(CHUNK) };
  const settings = { STATE_DIR, LIMITS: { each: { usd_day: 1 } } };
  const sendAfterRestart = async () =>
    (await createTestGateway({ settings, upstream, clock }).post(minimalRequest("chat"))).status;
  const statuses = [];
  for (let nth = 0; nth < 4; nth++) statuses.push(await sendAfterRestart());
  assert.deepEqual(statuses, [200, 200, 402, 402]);
  clock.advance(DAY);
  assert.equal(await sendAfterRestart(), 200);
});

test("STATE_DIR has the estimate for an answer that has no usage when the gateway must stop", async () => {
  const STATE_DIR = newFolder();
  const models = '{"data":[{"id":"vendor/model","pricing":{"prompt":"0","completion":"0.01"}}]}';
  const open = { body: writeDelta({ content: "Hello" }), ending: "open" as const };
  const gateway = createTestGateway({
    settings: { STATE_DIR, LIMITS: { each: { usd_day: 1 } }, SHUTDOWN_TIMEOUT: 3 },
    upstream: new FakeUpstream(open, { models }),
  });
  await (await gateway.post(minimalRequest("chat", { stream: true }))).body?.cancel();
  const stopping = gateway.stop();
  gateway.clock.advance(3000);
  await stopping;
  assert.match(readFileSync(join(STATE_DIR, "spend.jsonl"), "utf8"), /"usd":0\.0\d/);
});
