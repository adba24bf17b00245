import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { UNOBSERVED } from "../../lib/observability/request_observer.ts";
import { parseConfig } from "../../lib/config/parse.ts";
import { LossReport } from "../../lib/dialects/loss.ts";
import { createGatewayContext } from "../../lib/server/create_context.ts";
import { createAsk } from "../../lib/turns/ask.ts";
import { findRoute } from "../../lib/upstreams/find_route.ts";
import { FakeClock } from "../kit/clock.ts";
import { writeDelta } from "../kit/streams.ts";
import { type FakeReply, FakeUpstream } from "../kit/upstream.ts";

const SETTINGS = {
  OPENROUTER_API_KEY: "sk-or-test",
  MODEL_MAP: { fast: { model: "vendor/model", fallbacks: ["vendor/other"] } },
};
const METERED = { metered: true, hold: () => () => {}, assertBudget: () => Promise.resolve() };

/** Begins a turn that a limit meters, of a model with a fallback. */
async function begin(reply: FakeReply) {
  const clock = new FakeClock();
  const upstream = new FakeUpstream(reply);
  const context = createGatewayContext(parseConfig({ settings: SETTINGS }), {
    clock,
    fetch: upstream.fetch,
  });
  const caller = { client: "local" };
  const route = await findRoute(context, "fast", caller);
  const { signal } = new AbortController();
  const options = { caller, signal, admission: METERED, observer: UNOBSERVED, onUsage: () => {} };
  const ask = createAsk(context, options, { route, loss: new LossReport(), retries: 0 });
  const batches = ask({ model: "fast", max_tokens: 64, messages: [{ role: "user", content: "Hi" }] });
  return { clock, upstream, batches, stateOf: () => context.targetHealth.report(route).state };
}

test("createAsk() counts no failure of an upstream whose answer the gateway stops to read", async () => {
  const { clock, upstream, batches, stateOf } = await begin({
    body: writeDelta({ content: "Hi" }),
    ending: "open",
  });
  assert.equal((await batches.next()).done, false);
  await batches.return(undefined); // as a subagent's answer that is too large: its request goes on
  await upstream.stalled;
  clock.advance(10_000);
  while (!upstream.idle) await setImmediate();
  await setImmediate();
  assert.equal(stateOf(), "healthy");
});

test("createAsk() counts a failure of the upstream", async () => {
  const { batches, stateOf } = await begin({ body: writeDelta({ content: "Hi" }), ending: "reset" });
  await assert.rejects(async () => {
    for await (const _batch of batches);
  }, /Cannot/);
  assert.equal(stateOf(), "cooling");
});
