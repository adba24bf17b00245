import assert from "node:assert/strict";
import { test } from "node:test";
import { forEachTarget } from "./for_each_target.ts";

test("forEachTarget() reports a target that fails, and calls the others", async () => {
  const targets = new Map([["one", 1], ["two", 2], ["three", 3]]);
  const called: string[] = [];
  const reported: unknown[] = [];
  const run = async (target: number, name: string) => {
    called.push(name);
    if (target === 2) throw new Error("two failed");
  };
  await forEachTarget(targets, run, (error) => reported.push(error));
  assert.deepEqual(called.sort(), ["one", "three", "two"]);
  assert.deepEqual(reported.map(String), ["Error: two failed"]);
  assert.deepEqual([...targets.keys()], ["one", "three"]);
});
