import assert from "node:assert/strict";
import { test } from "node:test";
import { createModelAccess } from "../../lib/access/model_access.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { FakeUpstream } from "../kit/upstream.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

/** A pattern, the names that it allows, and those that it does not. */
const PATTERNS: [pattern: string, allowed: string[], others: string[]][] = [
  ["fast", ["fast"], ["fas", "faster", ""]],
  ["*", ["", "a", "a/b"], []],
  ["openai/*", ["openai/", "openai/gpt-5"], ["openai", "groq/openai/gpt-5"]],
  ["*:free", ["a:free", ":free"], ["a:free:x"]],
  ["a*b*c", ["abc", "aXbXbXc"], ["ac", "acb", "abcd"]],
  ["ab*ba", ["abba", "abXba"], ["aba"]],
  ["a.c", ["a.c"], ["abc"]],
];

for (const [pattern, allowed, others] of PATTERNS) {
  test(`createModelAccess() matches ${pattern}`, () => {
    const access = createModelAccess(new Map([["alice", [pattern]]]));
    for (const name of allowed) assert.ok(access.allows("alice", [name]), name);
    for (const name of others) assert.ok(!access.allows("alice", [name]), name);
    assert.deepEqual([access.restricts("alice"), access.restricts("bob")], [true, false]);
  });
}

const KEYS = {
  alice: "alice-0123456789abcdef",
  bob: "bob-0123456789abcdef",
  carol: "carol-0123456789abcdef",
};
const SETTINGS = {
  GATEWAY_API_KEYS: Object.entries(KEYS).map(([name, key]) => `${name}:${key}`),
  GATEWAY_ADMIN_KEY: "admin-0123456789abcdef",
  MODEL_MAP: {
    fast: "x/secret-model",
    leak: { model: "openai/gpt-5", fallbacks: ["x/secret-model"] },
    share: { targets: ["x/secret-model", "openai/gpt-5"] },
    slow: { model: "openai/gpt-5", fallbacks: ["openai/gpt-5-mini"] },
  },
  UPSTREAMS: { local: { url: "http://127.0.0.1:9/v1" }, openai2: { url: "http://127.0.0.1:9/v1" } },
  MODEL_ACCESS: { alice: ["openai/*", "fast"], carol: [], admin: ["*"], "*": ["local/*"] },
};

/** A key, the model of a request, and whether it may be used. */
const REQUESTS: [name: keyof typeof KEYS | "admin", model: string, allowed: boolean][] = [
  ["alice", "openai/gpt-5", true],
  ["alice", "slow", true],
  ["alice", "leak", false],
  ["alice", "share", false],
  ["alice", "fast", true],
  ["alice", "claude-gw-fast", true],
  ["alice", "x/secret-model", false],
  ["alice", "claude-opus-5-5", false],
  ["alice", "local/openai/gpt-5", false],
  ["alice", "big", false],
  ["bob", "local/llama", true],
  ["bob", "fast", false],
  ["bob", "openai2/llama", false],
  ["carol", "demo/echo", false],
  ["admin", "x/secret-model", true],
];

for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
  for (const [name, model, allowed] of REQUESTS) {
    test(`POST ${path} ${allowed ? "answers" : "forbids"} ${model} to ${name}`, async () => {
      const gateway = createTestGateway({ settings: SETTINGS, upstream: { body: COMPLETE_STREAMS.chat } });
      const key = name === "admin" ? SETTINGS.GATEWAY_ADMIN_KEY : KEYS[name];
      const body = { model, max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
      const response = await gateway.post(body, { path, headers: { "x-api-key": key } });
      const { error } = await response.json();
      assert.equal(response.status, allowed ? 200 : 403, error?.message);
      if (allowed) return;
      assert.deepEqual(error, {
        type: "permission_error",
        message: `Cannot use model "${model}": the key "${name}" is not allowed to use it`,
      });
      assert.equal(gateway.upstream.requests.length, 0);
    });
  }
}

/** Fields that name further models: an allowed one, and a forbidden one. */
const FIELDS: [allowed: object, forbidden: object][] = [
  [{ models: ["openai/gpt-5-mini"] }, { models: ["openai/gpt-5-mini", "x/secret-model"] }],
  [{ fallbacks: [{ model: "openai/gpt-5-mini" }] }, { fallbacks: [{ model: "x/secret-model" }] }],
  [{ models: [] }, { preset: "secret" }],
  [{ tools: [toTool("openai/gpt-5-mini")] }, { tools: [toTool("x/secret-model")] }],
  [{ tools: [toOwnTool("advisor", "openai/gpt-5-mini")] }, {
    tools: [toOwnTool("advisor", "x/secret-model")],
  }],
  [{ tools: [toOwnTool("web_search")] }, { tools: [toOwnTool("advisor")] }],
  [{ tools: [toOwnTool("datetime")] }, { tools: [toOwnTool("subagent")] }],
  [
    { tools: [toOwnTool("advisor", "openai/gpt-5", [toOwnTool("subagent", "openai/gpt-5-mini")])] },
    { tools: [toOwnTool("advisor", "openai/gpt-5", [toOwnTool("subagent", "x/secret-model")])] },
  ],
  [
    { plugins: [{ id: "fusion", model: "openai/gpt-5", analysis_models: ["openai/gpt-5-mini"] }] },
    { plugins: [{ id: "fusion", model: "openai/gpt-5", analysis_models: ["x/secret-model"] }] },
  ],
  [{ plugins: [{ id: "web" }] }, { plugins: [{ id: "fusion", model: "openai/gpt-5" }] }],
];

for (const [allowed, forbidden] of FIELDS) {
  test(`POST /v1/messages forbids ${JSON.stringify(forbidden)}`, async () => {
    const gateway = createTestGateway({ settings: SETTINGS, upstream: { body: COMPLETE_STREAMS.chat } });
    const statusOf = async (fields: object) => {
      const messages = [{ role: "user", content: "Hi" }];
      const body = { model: "openai/gpt-5", max_tokens: 9, messages, ...fields };
      return (await gateway.post(body, { headers: { "x-api-key": KEYS.alice } })).status;
    };
    assert.deepEqual([await statusOf(allowed), await statusOf(forbidden)], [200, 403]);
  });
}

/** Models of the upstream `openai2`, or of the default upstream for an alias with a fallback there. */
const OF_UPSTREAMS: [model: string, other: string, status: number][] = [
  ["openai2/llama", "llama", 200],
  ["openai2/llama", "openai/gpt-5", 403],
  ["both", "openai/gpt-5", 403],
  ["both", "openai/llama", 200],
];

for (const [model, other, status] of OF_UPSTREAMS) {
  test(`POST /v1/messages answers ${status} to ${model} with ${other} in its models`, async () => {
    const settings = {
      ...SETTINGS,
      MODEL_MAP: { both: { model: "openai/gpt-5", fallbacks: ["openai2/llama"] } },
      MODEL_ACCESS: { alice: ["openai/*", "openai2/*llama"] },
    };
    const gateway = createTestGateway({ settings, upstream: { body: COMPLETE_STREAMS.chat } });
    const body = { model, models: [other], max_tokens: 9, messages: [{ role: "user", content: "Hi" }] };
    const response = await gateway.post(body, { headers: { "x-api-key": KEYS.alice } });
    assert.equal(response.status, status);
    if (status === 403) assert.match(await response.text(), /Cannot use model \\"openai2\/openai\/gpt-5\\"/);
  });
}

function toTool(model: string): object {
  return { type: "advisor_20260301", name: "advisor", model };
}

/** Creates a tool of OpenRouter. Without a model, it or the model that calls it chooses one. */
function toOwnTool(name: string, model?: string, tools?: object[]): object {
  return { type: `openrouter:${name}`, parameters: { model, tools } };
}

for (const path of ["/v1/messages", "/v1/messages/count_tokens"]) {
  test(`POST ${path} names no model that a key may not use`, async () => {
    const models = JSON.stringify({ data: [{ id: "openai/gpt-5" }, { id: "x/secret-model" }] });
    const gateway = createTestGateway({ settings: SETTINGS, upstream: new FakeUpstream({}, { models }) });
    await (await gateway.get("/v1/models", { "x-api-key": KEYS.alice })).body?.cancel();
    const messageOf = async (model: string, key: string) => {
      const body = { model, max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
      return (await (await gateway.post(body, { path, headers: { "x-api-key": key } })).json()).error.message;
    };
    const { alice } = KEYS;
    const why = 'the key "alice" is not allowed to use it';
    assert.equal(await messageOf("x/secret-mode", alice), `Cannot use model "x/secret-mode": ${why}`);
    assert.match(await messageOf("openai/gpt-55", alice), /nearest is "openai\/gpt-5"$/);
    assert.match(await messageOf("openai/x/secret-model", alice), /nearest is "openai\/gpt-5"$/);
    const admin = SETTINGS.GATEWAY_ADMIN_KEY;
    assert.match(await messageOf("x/secret-mode", admin), /nearest is "x\/secret-model"$/);
  });
}

test("GET /v1/models lists only the models that a key may use", async () => {
  const models = JSON.stringify({ data: [{ id: "openai/gpt-5" }, { id: "x/secret-model" }] });
  const upstream = new FakeUpstream({}, { models });
  const gateway = createTestGateway({ settings: SETTINGS, upstream });
  const idsOf = async (key: string) => {
    const { data } = await (await gateway.get("/v1/models?limit=1000", { "x-api-key": key })).json();
    return data.map(({ id }: { id: string }) => id);
  };
  assert.deepEqual(await idsOf(KEYS.alice), [
    "fast",
    "claude-gw-fast",
    "slow",
    "claude-gw-slow",
    "openai/gpt-5",
  ]);
  assert.deepEqual(await idsOf(KEYS.carol), []);
  assert.ok((await idsOf(SETTINGS.GATEWAY_ADMIN_KEY)).includes("big"));
  const one = await gateway.get("/v1/models/big", { "x-api-key": KEYS.alice });
  assert.equal(one.status, 403);
});

test("GET /health/detailed shows only the aliases that a key may use", async () => {
  const gateway = createTestGateway({ settings: SETTINGS });
  const aliasesOf = async (key: string) => {
    const health = await (await gateway.get("/health/detailed", { "x-api-key": key })).json();
    return Object.keys(health.services.aliases);
  };
  assert.deepEqual(await aliasesOf(KEYS.alice), ["slow"]);
  assert.deepEqual(await aliasesOf(KEYS.carol), []);
  assert.deepEqual(await aliasesOf(SETTINGS.GATEWAY_ADMIN_KEY), ["leak", "share", "slow"]);
});
