import assert from "node:assert/strict";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { openDayFiles } from "../../../lib/runtime/day_files.ts";
import { FakeClock } from "../../kit/clock.ts";
import { createTestGateway, type TestGateway } from "../../kit/gateway.ts";
import { parseJson } from "../../kit/json.ts";
import { minimalRequest } from "../../kit/requests/request.ts";
import { postForm, readToken } from "../../page/viewer.ts";
import { COMPLETE_STREAMS, DONE, writeDelta } from "../../kit/streams.ts";

const root = mkdtempSync(join(tmpdir(), "gateway-operations-"));
after(() => rmSync(root, { recursive: true, force: true }));

const NOW = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const FAILING = {
  status: 500,
  headers: { "content-type": "application/json" },
  body: '{"error":{"message":"Down"}}',
};

function open(name: string, limits: Partial<Parameters<typeof openDayFiles>[0]> = {}) {
  return openDayFiles({
    folder: join(root, name),
    maxFileBytes: 1000,
    maxFiles: 5,
    days: 7,
    now: NOW,
    ...limits,
  });
}

async function read(files: ReturnType<typeof openDayFiles>): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of files.readNewestFirst()) lines.push(line);
  return lines;
}

test("openDayFiles() writes one private file a day, and removes those of old days", async () => {
  const files = open("days");
  for (const day of [0, 1, 5, 8]) files.append(`{"day":${day}}`, NOW + day * DAY);
  assert.deepEqual(readdirSync(join(root, "days")).sort(), [
    "2026-01-02.jsonl",
    "2026-01-06.jsonl",
    "2026-01-09.jsonl",
  ]);
  assert.equal(statSync(join(root, "days", "2026-01-09.jsonl")).mode & 0o777, 0o600);
  assert.deepEqual(await read(files), ['{"day":8}', '{"day":5}', '{"day":1}']);
  assert.equal(files.cleanUp(1, NOW + 8 * DAY), 2);
});

test("openDayFiles() continues a full file in another, also after a restart, and keeps the newest files", async () => {
  for (let start = 0; start < 3; start++) {
    const files = open("parts", { maxFileBytes: 25 });
    for (let nth = 0; nth < 10; nth++) files.append(`line-${start}-${nth}`, NOW);
  }
  assert.equal(readdirSync(join(root, "parts")).length, 5);
  const lines = await read(open("parts", { maxFileBytes: 25 }));
  assert.deepEqual(lines.slice(0, 4), ["line-2-9", "line-2-8", "line-2-7", "line-2-6"]);
});

test("openDayFiles() reports a folder that cannot be written, and follows no link", () => {
  writeFileSync(join(root, "file"), "");
  assert.match(open("file").failure ?? "", /not a folder/);
  mkdirSync(join(root, "linked"));
  writeFileSync(join(root, "target"), "");
  symlinkSync(join(root, "target"), join(root, "linked", "2026-01-01.jsonl"));
  const linked = open("linked");
  assert.equal(linked.append("x", NOW), false);
  assert.match(linked.failure ?? "", /link/);
  assert.equal(readFileSync(join(root, "target"), "utf8"), "");
});

test("LOG_DIR keeps errors across restarts", async () => {
  const settings = { ENVIRONMENT: "development", LOG_DIR: join(root, "logs") };
  const first = createTestGateway({ settings, upstream: FAILING });
  await (await first.post(minimalRequest("chat", { system: "PROMPT" }), {
    headers: { "x-correlation-id": "before" },
  })).text();
  const second = createTestGateway({ settings });
  const recent = await (await second.get("/debug/errors/recent")).json();
  assert.equal(recent.log_file, join(root, "logs", "errors", "2026-01-01.jsonl"));
  assert.deepEqual(recent.errors.map(({ correlation_id: id }: { correlation_id: string }) => id), ["before"]);
  const [line] = readFileSync(recent.log_file, "utf8").split("\n");
  assert.equal(line?.includes("PROMPT"), false);
});

test("LOG_DIR keeps the marks of resolved errors across restarts", async () => {
  const settings = { LOG_DIR: join(root, "marks"), UPSTREAM_RETRIES: 0 };
  const clock = new FakeClock();
  const start = () => createTestGateway({ upstream: FAILING, settings, clock });
  const readErrors = async (gateway: TestGateway, path = "errors") =>
    await (await gateway.get(`/console/${path}`)).text();
  const first = start();
  await (await first.post(minimalRequest("chat"))).text();
  const group = /errors\?group=\w+/.exec(await readErrors(first))?.[0] ?? "";
  const act = async (gateway: TestGateway, action: string) => {
    clock.advance(1);
    const token = readToken(await readErrors(gateway, group));
    assert.equal((await postForm(gateway, group, { token, action })).status, 303);
  };
  await act(first, "resolve");
  clock.advance(1);
  const second = start();
  assert.match(await readErrors(second), /none unresolved/);
  await act(second, "reopen");
  clock.advance(1);
  assert.match(await readErrors(start()), /1 unresolved/);
  await act(second, "resolve");
  clock.advance(1);
  await (await second.post(minimalRequest("chat"))).text();
  clock.advance(1);
  assert.match(await readErrors(start()), /1 unresolved[^]*>reopened</);
  const [file = ""] = readdirSync(join(root, "marks/error_marks"));
  assert.equal(statSync(join(root, "marks/error_marks", file)).mode & 0o777, 0o600);
});

test("LOG_DIR that cannot be written keeps errors in memory", async () => {
  const folder = join(root, "readonly");
  mkdirSync(folder);
  writeFileSync(join(folder, "errors"), "");
  chmodSync(folder, 0o500);
  const settings = { ENVIRONMENT: "development", LOG_DIR: folder };
  const gateway = createTestGateway({ settings, upstream: FAILING });
  await (await gateway.post(minimalRequest("chat"))).text();
  const recent = await (await gateway.get("/debug/errors/recent")).json();
  assert.equal(recent.count, 1);
  chmodSync(folder, 0o700);
});

test("LOG_BODIES stores prompts and answers in private files, without credentials", async () => {
  const folder = join(root, "bodies-logs");
  const settings = {
    ENVIRONMENT: "development",
    LOG_DIR: folder,
    LOG_BODIES: "on",
    OPENROUTER_API_KEY: "Zq7k9mXWv0aB",
  };
  const pieces = ["the key sk-or", "-v1-012345", "6789abcdef and Zq7k9", "mXWv0aB"];
  const body = pieces.map((content) => writeDelta({ content })).join("") +
    writeDelta({}, { finish_reason: "stop" }) + DONE;
  const gateway = createTestGateway({ settings, upstream: { body } });
  const request = minimalRequest("chat", {
    system: "Bearer abcdefgh",
    metadata: { password: "hunter2" },
    stream: true,
  });
  await (await gateway.post(request, { headers: { "x-api-key": "Hj2Ln6Qs8Uv0Xy3" } })).text();
  const path = join(folder, "bodies", "2026-01-01.jsonl");
  assert.equal(statSync(path).mode & 0o777, 0o600);
  const entry = parseJson(readFileSync(path, "utf8").trim());
  assert.deepEqual(entry.answer, [{ type: "text", text: "the key [redacted] and [redacted]" }]);
  assert.deepEqual(entry.request, {
    model: "vendor/model",
    max_tokens: 64,
    messages: [{ role: "user", content: "Hi" }],
    system: "Bearer [redacted]",
    metadata: { password: "[redacted]" },
    stream: true,
  });
});

test("Without LOG_BODIES, no content is stored anywhere", async () => {
  const folder = join(root, "no-bodies");
  const gateway = createTestGateway({
    settings: { LOG_DIR: folder },
    upstream: [{ body: COMPLETE_STREAMS.chat }, FAILING],
  });
  for (let nth = 0; nth < 2; nth++) {
    await (await gateway.post(minimalRequest("chat", { system: "PROMPT" }))).text();
  }
  assert.deepEqual(readdirSync(folder).sort(), ["error_marks", "errors"]);
  assert.equal(readFileSync(join(folder, "errors", "2026-01-01.jsonl"), "utf8").includes("PROMPT"), false);
});
