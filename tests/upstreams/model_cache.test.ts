import assert from "node:assert/strict";
import { test } from "node:test";
import { createModelCache, type ModelCache } from "../../lib/upstreams/model_cache.ts";
import type { ListedModel } from "../../lib/upstreams/model_list.ts";
import { FakeClock } from "../kit/clock.ts";

const HOST = { preset: "other", dialectChoice: "auto" } as const;
const ACME = { name: "acme", baseUrl: "https://acme.test/v1", key: "sk-acme", ...HOST };
const OTHER = { name: "other", baseUrl: "https://other.test/v1", ...HOST };
const CALLER = { client: "local", key: "sk-client" };
const MINUTE = 60_000;

/** Creates a model cache whose upstreams wait for the test to answer. */
function createTestCache() {
  const clock = new FakeClock();
  const sent: { url: string; signal: AbortSignal | null | undefined; answer(response: Response): void }[] =
    [];
  const network: typeof fetch = (input, init) =>
    new Promise((resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      sent.push({ url: String(input), signal: init?.signal, answer: resolve });
    });
  return { clock, sent, cache: createModelCache({ fetch: network, clock }) };
}

function listing(...ids: string[]): Response {
  return Response.json({ data: ids.map((id) => ({ id })) });
}

function ids(models: readonly ListedModel[]): string[] {
  return models.map(({ id }) => id);
}

/** Runs all pending microtasks. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}

async function learn(
  { sent, cache }: { sent: ReturnType<typeof createTestCache>["sent"]; cache: ModelCache },
) {
  const looking = cache.get(ACME, CALLER);
  sent.at(-1)?.answer(listing("one"));
  assert.deepEqual(ids(await looking), ["one"]);
}

test("createModelCache() keeps a fresh fetch", async () => {
  const all = createTestCache();
  assert.deepEqual(all.cache.peek(ACME), []);
  await learn(all);
  all.clock.advance(10 * MINUTE - 1);
  assert.deepEqual(ids(await all.cache.get(ACME, CALLER)), ["one"]);
  assert.deepEqual(ids(await all.cache.fetch(ACME, CALLER)), ["one"]);
  assert.deepEqual(ids(all.cache.peek(ACME)), ["one"]);
  assert.deepEqual(all.sent.map(({ url }) => url), ["https://acme.test/v1/models"]);
  assert.equal(all.clock.waiting, 0);
});

test("get() returns a stale list and refreshes it, and fetch() waits for the fresh one", async () => {
  const all = createTestCache();
  await learn(all);
  all.clock.advance(10 * MINUTE);
  assert.deepEqual(ids(await all.cache.get(ACME, CALLER)), ["one"]);
  assert.equal(all.sent.length, 2);
  const listing2 = all.cache.fetch(ACME, CALLER);
  all.sent[1]?.answer(listing("one", "two"));
  assert.deepEqual(ids(await listing2), ["one", "two"]);
  assert.deepEqual(ids(await all.cache.get(ACME, CALLER)), ["one", "two"]);
  assert.equal(all.sent.length, 2, "both calls share one request");
  assert.equal(all.clock.waiting, 0);
});

test("createModelCache() merges concurrent requests to each upstream", async () => {
  const { sent, cache } = createTestCache();
  const looks = Array.from({ length: 26 }, () => cache.get(ACME, CALLER));
  const others = Array.from({ length: 3 }, () => cache.fetch(OTHER, CALLER));
  assert.deepEqual(sent.map(({ url }) => new URL(url).host), ["acme.test", "other.test"]);
  sent[0]?.answer(listing("one"));
  sent[1]?.answer(listing("two"));
  for (const models of await Promise.all(looks)) assert.deepEqual(ids(models), ["one"]);
  for (const models of await Promise.all(others)) assert.deepEqual(ids(models), ["two"]);
});

test("get() waits at most two seconds for the first list, which a later call returns", async () => {
  const { sent, cache, clock } = createTestCache();
  const looking = cache.get(ACME, CALLER);
  clock.advance(2000);
  assert.deepEqual(await looking, []);
  sent[0]?.answer(listing("one"));
  await settle();
  assert.deepEqual(ids(await cache.get(ACME, CALLER)), ["one"]);
  assert.equal(sent.length, 1);
  assert.equal(clock.waiting, 0);
});

test("fetch() times out after ten seconds", async () => {
  const { sent, cache, clock } = createTestCache();
  const list = cache.fetch(ACME, CALLER);
  clock.advance(10_000);
  await assert.rejects(list, { type: "timeout_error" });
  assert.equal(sent[0]?.signal?.aborted, true);
  assert.equal(clock.waiting, 0);
});

const FAILURES: Record<string, () => Response> = {
  "fails": () => new Response("{}", { status: 500 }),
  "has no list": () => new Response(null, { status: 404 }),
  "answers no list": () => Response.json({ models: [] }),
  "answers no JSON": () => new Response("<html>"),
};
for (const [what, answer] of Object.entries(FAILURES)) {
  test(`get() returns no models for a minute if an upstream ${what}`, async () => {
    const { sent, cache, clock } = createTestCache();
    const looking = cache.get(ACME, CALLER);
    sent[0]?.answer(answer());
    assert.deepEqual(await looking, []);
    clock.advance(MINUTE - 1);
    assert.deepEqual(await cache.get(ACME, CALLER), []);
    assert.equal(sent.length, 1);
    clock.advance(1);
    const again = cache.get(ACME, CALLER);
    sent[1]?.answer(listing("one"));
    assert.deepEqual(ids(await again), ["one"]);
    assert.equal(clock.waiting, 0);
  });

  test(`fetch() throws if an upstream ${what}, and retries at the next call`, async () => {
    const { sent, cache } = createTestCache();
    const list = cache.fetch(ACME, CALLER);
    sent[0]?.answer(answer());
    await assert.rejects(list, { name: "ApiError" });
    const again = cache.fetch(ACME, CALLER);
    sent[1]?.answer(listing("one"));
    assert.deepEqual(ids(await again), ["one"]);
  });
}

test("get() keeps a list that cannot be refreshed", async () => {
  const all = createTestCache();
  await learn(all);
  all.clock.advance(60 * MINUTE);
  assert.deepEqual(ids(await all.cache.get(ACME, CALLER)), ["one"]);
  all.sent[1]?.answer(new Response("{}", { status: 503 }));
  await settle();
  for (let look = 0; look < 3; look++) {
    assert.deepEqual(ids(await all.cache.get(ACME, CALLER)), ["one"]);
  }
  assert.equal(all.sent.length, 2);
});

test("get() does not send a request to an embedded upstream", async () => {
  const { sent, cache } = createTestCache();
  const inside = { ...ACME, fetch: () => Promise.reject(new Error("sent")) };
  assert.deepEqual(await cache.get(inside, CALLER), []);
  assert.deepEqual(sent, []);
});
