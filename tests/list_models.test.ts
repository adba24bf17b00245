import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../lib/config.ts";
import { createTestGateway } from "./support/ask.ts";
import { dig, objects } from "./support/json.ts";
import { createUpstream } from "./support/upstream.ts";

const LISTED = [
  {
    id: "acme/talker-1",
    canonical_slug: "acme/talker-1-0901",
    name: "Acme: Talker 1",
    description: "Talks.",
    created: 1_790_000_000,
    context_length: 400_000,
    top_provider: { max_completion_tokens: 128_000 },
  },
  { id: "anthropic/claude-haiku-5.5", context_length: 200_000 },
];

async function ask(path: string, { settings = {}, headers = { "anthropic-version": "2023-06-01" } }: {
  settings?: Settings;
  headers?: Record<string, string>;
} = {}): Promise<unknown> {
  const models = JSON.stringify({ data: LISTED });
  const { fetch } = createUpstream({ body: "", models });
  const gateway = createTestGateway({ fetch, settings });
  const response = await gateway.fetch(new Request(`http://gateway.test/v1/models${path}`, { headers }));
  return await response.json();
}

test("every alias is listed with what is known of its model, and under a name that Claude Code shows", async () => {
  const settings = { MODEL_MAP: { fast: "acme/talker-1-0901:nitro", "my-claude": "acme/talker-1" } };
  const page = await ask("?limit=1000", { settings });
  const all = objects(dig(page, "data"));
  assert.deepEqual(all.map(({ id }) => id), [
    "big",
    "claude-gw-big",
    "small",
    "claude-gw-small",
    "fast",
    "claude-gw-fast",
    "my-claude",
    "acme/talker-1",
    "anthropic/claude-haiku-5.5",
  ]);
  for (const id of ["fast", "claude-gw-fast", "my-claude"]) {
    const found = all.find((model) => model.id === id);
    assert.equal(found?.max_input_tokens, 400_000, id);
    assert.equal(found?.max_tokens, 128_000, id);
    assert.equal(found?.description, "Alias of Acme: Talker 1, by openrouter", id);
  }
  const small = all.find(({ id }) => id === "claude-gw-small");
  assert.equal(small?.display_name, "small (anthropic/claude-haiku-5.5)");
  assert.equal(small?.max_input_tokens, 200_000);
  assert.equal(all.find(({ id }) => id === "acme/talker-1")?.description, "Talks.");
  assert.equal(all.find(({ id }) => id === "big")?.max_input_tokens, null, "nothing is known of it");
});

test("the name that Claude Code shows means the alias, wherever it is used", async () => {
  const settings = { MODEL_MAP: { fast: "acme/talker-1" } };
  assert.equal(dig(await ask("/claude-gw-fast", { settings }), "max_tokens"), 128_000);
  const chunk = { choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] };
  const upstream = createUpstream({ body: `data: ${JSON.stringify(chunk)}\n\ndata: [DONE]\n\n` });
  const gateway = createTestGateway({ fetch: upstream.fetch, settings });
  const body = { model: "claude-gw-fast", max_tokens: 9, messages: [{ role: "user", content: "Hi" }] };
  const headers = { "content-type": "application/json" };
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  const response = await gateway.fetch(new Request("http://gateway.test/v1/messages", init));
  assert.equal(response.headers.get("x-gateway-model"), "openrouter/acme/talker-1");
  assert.equal(dig(await response.json(), "model"), "claude-gw-fast");
  assert.equal(upstream.sent[0]?.body?.model, "acme/talker-1");
});

test("OpenAI's clients get the same models in their own shape", async () => {
  const list = await ask("", { headers: {} });
  assert.ok(
    objects(dig(list, "data")).some(({ id, object }) => id === "claude-gw-big" && object === "model"),
  );
});
