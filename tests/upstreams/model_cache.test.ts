import assert from "node:assert/strict";
import { test } from "node:test";
import { type Catalogue, createCatalogue } from "../../lib/upstreams/model_cache.ts";
import type { ListedModel } from "../../lib/upstreams/model_list.ts";
import { FakeClock } from "../kit/clock.ts";

const HABITS = { preset: "other", language: "auto" } as const;
const ACME = { name: "acme", baseUrl: "https://acme.test/v1", key: "sk-acme", ...HABITS };
const OTHER = { name: "other", baseUrl: "https://other.test/v1", ...HABITS };
const CALLER = { client: "local", key: "sk-client" };
const MINUTE = 60_000;

/** Creates a catalogue whose upstreams wait for the test to answer. */
function createTestCatalogue() {
  const clock = new FakeClock();
  const sent: { url: string; signal: AbortSignal | null | undefined; answer(response: Response): void }[] =
    [];
  const network: typeof fetch = (input, init) =>
    new Promise((resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
      sent.push({ url: String(input), signal: init?.signal, answer: resolve });
    });
  return { clock, sent, catalogue: createCatalogue({ fetch: network, clock }) };
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
  { sent, catalogue }: { sent: ReturnType<typeof createTestCatalogue>["sent"]; catalogue: Catalogue },
) {
  const looking = catalogue.look(ACME, CALLER);
  sent.at(-1)?.answer(listing("one"));
  assert.deepEqual(ids(await looking), ["one"]);
}

test("createCatalogue() keeps a fresh list", async () => {
  const all = createTestCatalogue();
  assert.deepEqual(all.catalogue.known(ACME), []);
  await learn(all);
  all.clock.advance(10 * MINUTE - 1);
  assert.deepEqual(ids(await all.catalogue.look(ACME, CALLER)), ["one"]);
  assert.deepEqual(ids(await all.catalogue.list(ACME, CALLER)), ["one"]);
  assert.deepEqual(ids(all.catalogue.known(ACME)), ["one"]);
  assert.deepEqual(all.sent.map(({ url }) => url), ["https://acme.test/v1/models"]);
  assert.equal(all.clock.waiting, 0);
});

test("look() returns a stale list and refreshes it, and list() waits for the fresh one", async () => {
  const all = createTestCatalogue();
  await learn(all);
  all.clock.advance(10 * MINUTE);
  assert.deepEqual(ids(await all.catalogue.look(ACME, CALLER)), ["one"]);
  assert.equal(all.sent.length, 2);
  const listing2 = all.catalogue.list(ACME, CALLER);
  all.sent[1]?.answer(listing("one", "two"));
  assert.deepEqual(ids(await listing2), ["one", "two"]);
  assert.deepEqual(ids(await all.catalogue.look(ACME, CALLER)), ["one", "two"]);
  assert.equal(all.sent.length, 2, "both calls share one request");
  assert.equal(all.clock.waiting, 0);
});

test("createCatalogue() merges concurrent requests to each upstream", async () => {
  const { sent, catalogue } = createTestCatalogue();
  const looks = Array.from({ length: 26 }, () => catalogue.look(ACME, CALLER));
  const others = Array.from({ length: 3 }, () => catalogue.list(OTHER, CALLER));
  assert.deepEqual(sent.map(({ url }) => new URL(url).host), ["acme.test", "other.test"]);
  sent[0]?.answer(listing("one"));
  sent[1]?.answer(listing("two"));
  for (const models of await Promise.all(looks)) assert.deepEqual(ids(models), ["one"]);
  for (const models of await Promise.all(others)) assert.deepEqual(ids(models), ["two"]);
});

test("look() waits at most two seconds for an unknown list, which the next call finds", async () => {
  const { sent, catalogue, clock } = createTestCatalogue();
  const looking = catalogue.look(ACME, CALLER);
  clock.advance(2000);
  assert.deepEqual(await looking, []);
  sent[0]?.answer(listing("one"));
  await settle();
  assert.deepEqual(ids(await catalogue.look(ACME, CALLER)), ["one"]);
  assert.equal(sent.length, 1);
  assert.equal(clock.waiting, 0);
});

test("list() gives up an upstream after ten seconds", async () => {
  const { sent, catalogue, clock } = createTestCatalogue();
  const list = catalogue.list(ACME, CALLER);
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
  test(`look() returns no models for a minute if an upstream ${what}`, async () => {
    const { sent, catalogue, clock } = createTestCatalogue();
    const looking = catalogue.look(ACME, CALLER);
    sent[0]?.answer(answer());
    assert.deepEqual(await looking, []);
    clock.advance(MINUTE - 1);
    assert.deepEqual(await catalogue.look(ACME, CALLER), []);
    assert.equal(sent.length, 1);
    clock.advance(1);
    const again = catalogue.look(ACME, CALLER);
    sent[1]?.answer(listing("one"));
    assert.deepEqual(ids(await again), ["one"]);
    assert.equal(clock.waiting, 0);
  });

  test(`list() throws if an upstream ${what}, and retries at the next call`, async () => {
    const { sent, catalogue } = createTestCatalogue();
    const list = catalogue.list(ACME, CALLER);
    sent[0]?.answer(answer());
    await assert.rejects(list, { name: "ApiError" });
    const again = catalogue.list(ACME, CALLER);
    sent[1]?.answer(listing("one"));
    assert.deepEqual(ids(await again), ["one"]);
  });
}

test("look() keeps a list that cannot be refreshed", async () => {
  const all = createTestCatalogue();
  await learn(all);
  all.clock.advance(60 * MINUTE);
  assert.deepEqual(ids(await all.catalogue.look(ACME, CALLER)), ["one"]);
  all.sent[1]?.answer(new Response("{}", { status: 503 }));
  await settle();
  for (let look = 0; look < 3; look++) {
    assert.deepEqual(ids(await all.catalogue.look(ACME, CALLER)), ["one"]);
  }
  assert.equal(all.sent.length, 2);
});

test("look() sends no request to an embedded upstream", async () => {
  const { sent, catalogue } = createTestCatalogue();
  const inside = { ...ACME, fetch: () => Promise.reject(new Error("sent")) };
  assert.deepEqual(await catalogue.look(inside, CALLER), []);
  assert.deepEqual(sent, []);
});
