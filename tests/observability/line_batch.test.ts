import assert from "node:assert/strict";
import { test } from "node:test";
import { LineBatch } from "../../lib/observability/line_batch.ts";

function createBatch() {
  const written: string[] = [];
  return { written, batch: new LineBatch((lines) => written.push(lines)) };
}

test("LineBatch.add() writes an urgent line at once, after the pending lines", () => {
  const { written, batch } = createBatch();
  batch.add("one");
  batch.add("two");
  assert.deepEqual(written, []);
  batch.add("three", { urgent: true });
  assert.deepEqual(written, ["one\ntwo\nthree"]);
});

test("LineBatch.add() writes many lines at once", () => {
  const { written, batch } = createBatch();
  for (let nth = 0; nth < 40; nth++) batch.add("x".repeat(1000));
  assert.equal(written.length, 1);
  batch.flush();
  assert.equal(written.join("\n").split("\n").length, 40);
});

test("LineBatch.flush() writes pending lines once", () => {
  const { written, batch } = createBatch();
  batch.flush();
  batch.add("one");
  batch.flush();
  batch.flush();
  assert.deepEqual(written, ["one"]);
});
