import assert from "node:assert/strict";
import { test } from "node:test";
import { readAll, toPassing } from "../../lib/base/passing_generator.ts";
import { prepend, relay, tap } from "../../lib/base/relay.ts";

async function* count(failure?: Error): AsyncGenerator<{ n: number }> {
  yield { n: 1 };
  if (failure !== undefined) throw failure;
  yield { n: 2 };
}

test("toPassing() polls any generator: what has arrived, once", async () => {
  const items = toPassing(count());
  assert.equal(items.poll(), undefined);
  await Promise.all([items.ready(), items.ready()]);
  assert.deepEqual(items.poll(), { done: false, value: { n: 1 } });
  assert.equal(items.poll(), undefined);
  assert.deepEqual(await items.next(), { done: false, value: { n: 2 } });
  await items.ready();
  assert.equal(items.poll()?.done, true);
});

test("toPassing() fails with the poll that follows the failure, then has ended", async () => {
  const items = toPassing(count(new Error("broken")));
  await items.next();
  await items.ready();
  assert.throws(() => items.poll(), { message: "broken" });
  assert.equal((await items.next()).done, true);
});

test("a poll reads through all layers at once, and they share one wait", async () => {
  let arrive = (_item: { n: number }) => {};
  const late = new Promise<{ n: number }>((resolve) => arrive = resolve);
  const seen: number[] = [];
  const inner = tap(prepend([{ n: 0 }, late], count()), ({ n }) => seen.push(n));
  const items = toPassing(tap(relay(async () => inner), () => {}));
  await items.ready();
  assert.deepEqual(items.poll(), { done: false, value: { n: 0 } });
  assert.equal(items.poll(), undefined);
  const ready = items.ready();
  arrive({ n: 0.5 });
  await ready;
  assert.deepEqual(items.poll(), { done: false, value: { n: 0.5 } });
  assert.deepEqual(seen, [0, 0.5]);
  await items.return();
});

test("two reads at once have an item each", async () => {
  const items = relay(async () => prepend([], count()));
  const [one, other] = await Promise.all([items.next(), items.next()]);
  assert.deepEqual([one.value?.n, other.value?.n].sort(), [1, 2]);
});

test("readAll() reads each item, and ends with the failure of the generator", async () => {
  const read: number[] = [];
  await readAll(count(), ({ n }) => read.push(n));
  assert.deepEqual(read, [1, 2]);
  await assert.rejects(readAll(count(new Error("broken")), () => {}), { message: "broken" });
});

test("readAll() ends the generator if an item cannot be used", async () => {
  let onEnd = () => {};
  const ended = new Promise<void>((resolve) => onEnd = resolve);
  async function* endless() {
    try {
      while (true) yield 1;
    } finally {
      onEnd();
    }
  }
  await assert.rejects(
    readAll(endless(), () => {
      throw new Error("unusable");
    }),
    { message: "unusable" },
  );
  await ended;
});
