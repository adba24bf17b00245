import assert from "node:assert/strict";
import { test } from "node:test";
import { prepend, relay, tap } from "../../lib/base/relay.ts";

/** Creates a generator of two items, and a log of its start and end. */
function createSource({ fails = false } = {}) {
  const events: string[] = [];
  async function* count(): AsyncGenerator<{ n: number }> {
    try {
      events.push("started");
      yield { n: 1 };
      if (fails) throw new Error("broken");
      yield { n: 2 };
    } finally {
      events.push("ended");
    }
  }
  return { events, items: count() };
}

async function collect<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const collected: Item[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

/** Each of the generators over the same two items. */
const KINDS: Record<string, (items: AsyncGenerator<{ n: number }>) => AsyncGenerator<{ n: number }>> = {
  "relay()": (items) => relay(async () => items),
  "prepend()": (items) => prepend([], items),
  "tap()": (items) => tap(items, () => {}),
};

for (const [name, wrap] of Object.entries(KINDS)) {
  test(`${name} passes all items on, then ends`, async () => {
    const { items, events } = createSource();
    const wrapped = wrap(items);
    assert.deepEqual(await collect(wrapped), [{ n: 1 }, { n: 2 }]);
    assert.deepEqual(await wrapped.next(), { done: true, value: undefined });
    assert.deepEqual(events, ["started", "ended"]);
  });

  test(`${name} ends its source if it is not read to the end, and passes failures on`, async () => {
    const left = createSource();
    for await (const _ of wrap(left.items)) break;
    assert.deepEqual(left.events, ["started", "ended"]);
    const broken = createSource({ fails: true });
    await assert.rejects(collect(wrap(broken.items)), { message: "broken" });
    assert.deepEqual(broken.events, ["started", "ended"]);
    const thrown = createSource();
    const wrapped = wrap(thrown.items);
    await wrapped.next();
    await assert.rejects(wrapped.throw(new Error("stop")), { message: "stop" });
    assert.deepEqual(thrown.events, ["started", "ended"]);
    assert.equal((await wrapped.next()).done, true);
  });
}

test("relay() does not start if it ends before its first read", async () => {
  const wrapped = relay<{ n: number }>(() => assert.fail("it began"));
  await wrapped.return(undefined);
  assert.deepEqual(await wrapped.next(), { done: true, value: undefined });
});

test("relay() ends a source that is still starting when it ends", async () => {
  const { items, events } = createSource();
  let begin = (_items: AsyncGenerator<{ n: number }>) => {};
  const wrapped = relay<{ n: number }>(() => new Promise((resolve) => begin = resolve));
  const first = wrapped.next();
  const end = wrapped.return(undefined);
  begin(items);
  assert.deepEqual(await first, { done: false, value: { n: 1 } });
  await end;
  assert.deepEqual(events, ["started", "ended"]);
});

test("relay() fails once if it cannot start", async () => {
  const fail = (): never => {
    throw new Error("no");
  };
  for (const begin of [() => Promise.reject(new Error("no")), fail]) {
    const wrapped = relay<{ n: number }>(begin);
    await assert.rejects(wrapped.next(), { message: "no" });
    assert.deepEqual(await wrapped.next(), { done: true, value: undefined });
  }
});

test("prepend() begins with given items, or with a promise of them", async () => {
  const { items } = createSource();
  const all = prepend([{ n: -1 }, Promise.resolve({ n: 0 })], items);
  assert.deepEqual((await collect(all)).map(({ n }) => n), [-1, 0, 1, 2]);
});

test("prepend() ends the rest if it is closed within the first items, or if one of them fails", async () => {
  const left = createSource();
  await left.items.next();
  for await (const _ of prepend([{ n: 0 }], left.items)) break;
  assert.deepEqual(left.events, ["started", "ended"]);
  const failed = createSource();
  await failed.items.next();
  const failure = Promise.reject(new Error("broken"));
  await assert.rejects(collect(prepend([failure], failed.items)), { message: "broken" });
  assert.deepEqual(failed.events, ["started", "ended"]);
});

test("tap() shows each item before it passes it on, and ends its source if that throws", async () => {
  const seen: number[] = [];
  await collect(tap(createSource().items, ({ n }) => seen.push(n)));
  assert.deepEqual(seen, [1, 2]);
  const { items, events } = createSource();
  const broken = tap(items, () => {
    throw new Error("not read");
  });
  await assert.rejects(broken.next(), { message: "not read" });
  assert.deepEqual(events, ["started", "ended"]);
});

test("tap() calls end once: after the last item, a failure or a return", async () => {
  const ends: unknown[] = [];
  const end = (how: { complete: boolean }) => void ends.push(how.complete);
  await collect(tap(createSource().items, () => {}, { end }));
  const fail = (error: unknown) => new Error("renamed", { cause: error });
  const failing = tap(createSource({ fails: true }).items, () => {}, { fail, end });
  await assert.rejects(collect(failing), { message: "renamed" });
  await failing.return(undefined);
  const left = tap(createSource().items, () => {}, { end });
  await left.next();
  await left.return(undefined);
  assert.deepEqual(ends, [true, false, false]);
});

test("tap() reads all items through generators that pass others on", async () => {
  const source = prepend([{ n: 0 }], relay(async () => prepend([{ n: 0.5 }], createSource().items)));
  const seen: number[] = [];
  await collect(tap(tap(source, () => {}), ({ n }) => seen.push(n)));
  assert.deepEqual(seen, [0, 0.5, 1, 2]);
});
