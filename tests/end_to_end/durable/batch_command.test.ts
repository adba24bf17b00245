import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { BatchFileError, checkBatchFile, keepSucceeded, readBatchFile } from "../../../lib/cli/batch_file.ts";
import { launchHere } from "./own_runtime.ts";

const folder = mkdtempSync(join(tmpdir(), "batch-command-"));
after(() => rmSync(folder, { recursive: true }));

const line = (id: string, params: object) => JSON.stringify({ custom_id: id, params });
const params = {
  model: "demo/echo",
  max_tokens: 20,
  stream: true,
  messages: [{ role: "user", content: "Hi" }],
};

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

test("mod.ts batch answers a file, and continues with the lines that have not succeeded", async () => {
  const path = write(
    "requests.jsonl",
    `${line("good", params)}\n\n${line("bad", { ...params, messages: [] })}`,
  );
  const results = () =>
    readFileSync(`${path}.results.jsonl`, "utf8").trim().split("\n").map((text) => JSON.parse(text));
  const settings = { GATEWAY_API_KEYS: "alice:key-of-alice-1234" };
  const first = await launchHere(["batch", path], settings).ended;
  assert.equal(first.status, 1, first.stderr);
  assert.match(first.stderr, /2\/2, 1 errored/);
  const found = new Map(results().map(({ custom_id, result }) => [custom_id, result]));
  assert.equal(found.get("good").type, "succeeded");
  assert.equal(found.get("good").message.type, "message");
  assert.equal(found.get("bad").error.error.type, "invalid_request_error");
  assert.equal(first.stdout.trim().split("\n").length, 2);

  writeFileSync(path, `${line("good", params)}\n${line("bad", params)}\n`);
  const second = await launchHere(["batch", path], settings).ended;
  assert.equal(second.status, 0, second.stderr);
  assert.deepEqual(results().map(({ custom_id, result }) => [custom_id, result.type]), [
    ["good", "succeeded"],
    ["bad", "succeeded"],
  ]);
  assert.equal(second.stdout.trim().split("\n").length, 1, "the first answer is not made again");
});

const BAD: [what: string, text: string, message: RegExp][] = [
  ["no requests", "\n", /it has no requests$/],
  ["a line that is not JSON", `${line("a", params)}\n{`, /^Cannot use line 2 of /],
  ["an id with a space", line("a b", params), /^Cannot use line 1 of /],
  ["no params", '{"custom_id":"a"}', /^Cannot use line 1 of /],
  ["two equal ids", `${line("a", params)}\n${line("a", params)}`, /two lines have the custom_id "a"$/],
];

for (const [what, text, message] of BAD) {
  test(`checkBatchFile() rejects a file with ${what}`, async () => {
    const path = write("bad.jsonl", text);
    await assert.rejects(
      () => checkBatchFile(path),
      (error) => error instanceof BatchFileError && message.test(error.message),
    );
  });
}

test("readBatchFile() names a file that does not exist", async () => {
  await assert.rejects(async () => await readBatchFile(join(folder, "none")).next(), /there is no such file/);
});

test("keepSucceeded() removes failures and a line that was cut", async () => {
  const good = '{"custom_id":"a","result":{"type":"succeeded","message":{}}}';
  const path = write(
    "old.jsonl",
    `${good}\n{"custom_id":"b","result":{"type":"errored"}}\n{"custom_id":"c","resu`,
  );
  assert.deepEqual([...await keepSucceeded(path)], ["a"]);
  assert.equal(readFileSync(path, "utf8"), `${good}\n`);
  assert.equal((await keepSucceeded(join(folder, "none"))).size, 0);
});
