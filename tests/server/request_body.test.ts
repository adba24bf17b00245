import assert from "node:assert/strict";
import { test } from "node:test";
import { setBodyReader, WholeBody } from "../../lib/runtime/http/direct_request.ts";
import { nextTask } from "../../lib/runtime/next_task.ts";
import { readRequestBody } from "../../lib/server/request_body.ts";
import { FakeClock } from "../kit/clock.ts";

const OPTIONS = { clock: new FakeClock(), config: { bodyTimeout: 0 } };

/** Creates a counter that records the added numbers. */
function createCount() {
  const added: number[] = [];
  return { added, add: (bytes: number) => void added.push(bytes), end() {} };
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);

test("a body that the server collects is counted before it has arrived, and once", async () => {
  const request = new Request("http://localhost/", { method: "POST" });
  let arrive = (_bytes: Uint8Array) => {};
  const bytes = new Promise<Uint8Array>((resolve) => arrive = resolve);
  setBodyReader(request, new WholeBody(() => bytes, 600));
  const count = createCount();
  const body = readRequestBody(request, count, OPTIONS);
  assert.equal(sum(count.added), 600);
  arrive(new Uint8Array(600));
  assert.equal((await body).size, 600);
  assert.equal(sum(count.added), 600);
});

test("a body is counted as its pieces arrive", async () => {
  const body = new Uint8Array(100_000);
  const request = new Request("http://localhost/", { method: "POST", body });
  const count = createCount();
  assert.equal((await readRequestBody(request, count, OPTIONS)).size, body.length);
  assert.equal(sum(count.added), body.length);
});

test("other tasks run between the pieces of a large body that has arrived", async () => {
  const request = new Request("http://localhost/", { method: "POST" });
  const piece = new Uint8Array(64 * 1024);
  let left = 128;
  setBodyReader(request, {
    read: () =>
      Promise.resolve(left-- > 0 ? { done: false, value: piece } : { done: true, value: undefined }),
    releaseLock() {},
  });
  const body = readRequestBody(request, createCount(), OPTIONS);
  await nextTask();
  assert.ok(left > 0, "the whole body was read in one task");
  assert.equal((await body).size, 128 * piece.length);
});
