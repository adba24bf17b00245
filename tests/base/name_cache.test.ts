import assert from "node:assert/strict";
import { test } from "node:test";
import { NameCache } from "../../lib/base/name_cache.ts";

test("NameCache creates the value of a name once, while it is not full", () => {
  const made: string[] = [];
  const cache = new NameCache<string>(2);
  const get = (name: string) => cache.get(name, (given) => (made.push(given), given.toUpperCase()));
  assert.deepEqual(["a", "b", "a", "b"].map(get), ["A", "B", "A", "B"]);
  assert.deepEqual(made, ["a", "b"]);
  assert.deepEqual(["c", "a"].map(get), ["C", "A"]);
  assert.deepEqual(made, ["a", "b", "c", "a"]);
});

test("NameCache keeps no value of a long name", () => {
  let made = 0;
  const cache = new NameCache<number>(2);
  const long = "x".repeat(100_000);
  assert.deepEqual([cache.get(long, () => ++made), cache.get(long, () => ++made)], [1, 2]);
});
