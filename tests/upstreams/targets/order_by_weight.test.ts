import assert from "node:assert/strict";
import { test } from "node:test";
import { orderByWeight } from "../../../lib/upstreams/targets/order_by_weight.ts";

const TARGETS = [{ key: "groq/llama", weight: 6 }, { key: "local/llama", weight: 3 }, {
  key: "openrouter/meta/llama",
  weight: 1,
}];
const SEEDS: Record<string, (nth: number) => string> = {
  "counted requests": (nth) => String(nth),
  "sessions": (nth) => `alice 0b1f5a6e-9d1c-4c55-8d62-${String(nth * 7919).padStart(12, "0")}`,
};

for (const [kind, seed] of Object.entries(SEEDS)) {
  test(`orderByWeight() shares ${kind} by weight`, () => {
    const firsts = new Map<string, number>();
    const total = 10_000;
    for (let nth = 0; nth < total; nth++) {
      const key = orderByWeight(TARGETS, seed(nth))[0]?.key ?? "";
      firsts.set(key, (firsts.get(key) ?? 0) + 1);
    }
    for (const { key, weight } of TARGETS) {
      const share = (firsts.get(key) ?? 0) / total;
      assert.ok(Math.abs(share - weight / 10) < 0.02, `${key} has ${share} of the requests`);
    }
  });
}

test("orderByWeight() distributes the requests of an omitted target by weight as well", () => {
  const seconds = new Map<string, number>();
  for (let nth = 0; nth < 10_000; nth++) {
    const [first, second] = orderByWeight(TARGETS, String(nth));
    if (first?.key !== "groq/llama") continue;
    seconds.set(second?.key ?? "", (seconds.get(second?.key ?? "") ?? 0) + 1);
  }
  const [local = 0, other = 0] = ["local/llama", "openrouter/meta/llama"].map((key) => seconds.get(key));
  assert.ok(Math.abs(local / (local + other) - 0.75) < 0.03, `${local} and ${other}`);
});

test("orderByWeight() keeps the order of the others if a target is removed or moved", () => {
  for (let nth = 0; nth < 200; nth++) {
    const all = orderByWeight(TARGETS, `session-${nth}`).map(({ key }) => key);
    const fewer = orderByWeight(TARGETS.slice(1).reverse(), `session-${nth}`).map(({ key }) => key);
    assert.deepEqual(fewer, all.filter((key) => key !== "groq/llama"));
  }
});
