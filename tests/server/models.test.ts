import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { dig, objects } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

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

const models = JSON.stringify({ data: LISTED });

async function getModels(path: string, { settings = {}, headers = { "anthropic-version": "2023-06-01" } }: {
  settings?: Settings;
  headers?: Record<string, string>;
} = {}): Promise<unknown> {
  const gateway = createTestGateway({ upstream: new FakeUpstream({}, { models }), settings });
  return await (await gateway.get(`/v1/models${path}`, headers)).json();
}

test("GET /v1/models lists every alias with the facts of its model, also under a name that Claude Code shows", async () => {
  const settings = { MODEL_MAP: { fast: "acme/talker-1-0901:nitro", "my-claude": "acme/talker-1" } };
  const page = await getModels("?limit=1000", { settings });
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

test("GET /v1/models lists an alias instead of the model of the same name", async () => {
  const settings = { MODEL_MAP: { "anthropic/claude-haiku-5.5": "acme/talker-1" } };
  const all = objects(dig(await getModels("?limit=1000", { settings }), "data"));
  const named = all.filter(({ id }) => id === "anthropic/claude-haiku-5.5");
  assert.deepEqual(named.map(({ max_input_tokens }) => max_input_tokens), [400_000]);
});

test("POST /v1/messages and GET /v1/models accept the name that Claude Code shows for an alias", async () => {
  const settings = { MODEL_MAP: { fast: "acme/talker-1" } };
  assert.equal(dig(await getModels("/claude-gw-fast", { settings }), "max_tokens"), 128_000);
  const { upstream, post } = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat }, settings });
  const response = await post(minimalRequest("chat", { model: "claude-gw-fast" }));
  assert.equal(response.headers.get("x-gateway-model"), "openrouter/acme/talker-1");
  assert.equal(dig(await response.json(), "model"), "claude-gw-fast");
  assert.equal(upstream.requests[0]?.body.model, "acme/talker-1");
});

test("GET /v1/models/{id} returns a model by each of its names", async () => {
  const settings = { ANTHROPIC_MODEL: "acme/talker-1" };
  for (const id of ["acme/talker-1", "acme%2Ftalker-1", "acme/talker-1-0901", "acme/talker-1:free", "big"]) {
    const model = await getModels(`/${id}`, { settings });
    assert.equal(dig(model, "id"), decodeURIComponent(id));
    assert.equal(dig(model, "max_input_tokens"), 400_000, id);
  }
  assert.equal(dig(await getModels("/claude-haiku-5-5-20260901"), "max_input_tokens"), 200_000);
  assert.equal(dig(await getModels("/demo/echo"), "id"), "demo/echo");
  assert.equal(dig(await getModels("/demo/echo", { headers: {} }), "object"), "model");
});

test("GET /v1/models/{id} returns 404 with the nearest name for an unknown model", async () => {
  const settings = { ANTHROPIC_MODEL: "acme/talker-2" };
  const unknown: [id: string, why: string][] = [
    ["acme/talker-2", 'no alias or upstream has it; the nearest is "acme/talker-1"'],
    [
      "claude-haiku-4-5",
      'upstream "openrouter" does not list "anthropic/claude-haiku-4.5"; the nearest is "anthropic/claude-haiku-5.5"',
    ],
    ["demo/foo", 'upstream "demo" does not list "foo"; the nearest is "demo/echo"'],
  ];
  for (const [id, why] of unknown) {
    const error = { type: "not_found_error", message: `Cannot use model "${id}": ${why}` };
    assert.deepEqual(dig(await getModels(`/${id}`), "error"), error);
  }
  const gateway = createTestGateway({ upstream: new FakeUpstream({}, { models }), settings });
  const refusal = await (await gateway.post(minimalRequest("chat", { model: "big" }))).json();
  const why = 'upstream "openrouter" does not list "acme/talker-2"; the nearest is "acme/talker-1"';
  assert.equal(dig(refusal, "error", "message"), `Cannot use model "big": ${why}`);
});

test("GET /v1/models/{id} returns 502 if the upstream's list is unavailable", async () => {
  const gateway = createTestGateway({ settings: { OPENROUTER_API_KEY: undefined, LOG_LEVEL: "off" } });
  const get = (id: string) => gateway.get(`/v1/models/${id}`);
  const response = await get("acme/talker-1");
  assert.equal(response.status, 502);
  assert.deepEqual(dig(await response.json(), "error"), {
    type: "api_error",
    message: 'Cannot look up model "acme/talker-1": the model list of upstream "openrouter" is unavailable',
  });
  assert.ok((await (await get("x".repeat(100_000))).text()).length < 1000);
  for (const id of ["big", "demo/echo"]) assert.equal((await get(id)).status, 200, id);
});

test("GET /v1/models returns OpenAI's form to OpenAI clients", async () => {
  const list = await getModels("", { headers: {} });
  assert.ok(
    objects(dig(list, "data")).some(({ id, object }) => id === "claude-gw-big" && object === "model"),
  );
});
