import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryAnswers } from "../../lib/server/idempotency/memory_answers.ts";
import { Recording } from "../../lib/server/idempotency/recording.ts";
import { FakeClock } from "../kit/clock.ts";

/** Records an answer of the given size, in bytes. */
async function record(size: number): Promise<Recording> {
  return await new Promise((resolve) => {
    const start = () => Promise.resolve(new Response("x".repeat(size)));
    const recording: Recording = new Recording("", start, { onEnd: () => resolve(recording) });
  });
}

test("createMemoryAnswers() drops answers of the key that has most, and keeps those of others", async () => {
  const clock = new FakeClock();
  const answers = createMemoryAnswers({ clock, maxBytes: 20_000 });
  answers.add("key:bob", "bob", await record(2000));
  for (let nth = 0; nth < 100; nth++) answers.add("key:alice", `alice ${nth}`, await record(1000));
  const kept = Array.from({ length: 100 }, (_, nth) => nth).filter((nth) => answers.find(`alice ${nth}`));
  assert.ok(answers.find("bob") !== undefined, "one key does not evict the answers of another one");
  assert.deepEqual(kept, [92, 93, 94, 95, 96, 97, 98, 99], "the newest of the key are kept");
  for (let nth = 0; nth < 100; nth++) answers.add("key:carol", `carol ${nth}`, await record(1000));
  assert.ok(answers.find("bob") !== undefined);
  const left = Array.from({ length: 100 }, (_, nth) => nth).filter((nth) => answers.find(`alice ${nth}`));
  assert.deepEqual(left, [96, 97, 98, 99], "keys that need the memory have equal shares");
});

test("createMemoryAnswers() replaces an answer of the same name, and forgets it after a day", async () => {
  const clock = new FakeClock();
  const answers = createMemoryAnswers({ clock, maxBytes: 5000 });
  const [first, second, large] = [await record(1000), await record(1000), await record(6000)];
  answers.add("o", "name", first);
  answers.add("o", "name", second);
  answers.add("o", "other", first);
  assert.equal(answers.find("name"), second);
  answers.add("p", "large", large);
  assert.equal(answers.find("large"), undefined, "it is larger than the memory");
  assert.equal(answers.find("other"), first);
  clock.advance(24 * 60 * 60 * 1000);
  assert.equal(answers.find("name"), undefined);
});
