import assert from "node:assert/strict";
import { test } from "node:test";
import { once } from "../../lib/base/once.ts";

test("once() loads again after a failure, and never after a success", async () => {
  let loads = 0;
  const load = once(async () => {
    loads++;
    if (loads === 1) throw new Error("EMFILE");
    return loads;
  });
  const first = await Promise.allSettled([load(), load()]);
  assert.deepEqual(first.map(({ status }) => status), ["rejected", "rejected"]);
  assert.equal(loads, 1);
  assert.deepEqual(await Promise.all([load(), load()]), [2, 2]);
  assert.equal(await load(), 2);
});
