import assert from "node:assert/strict";
import { test } from "node:test";
import { chooseModel, isUsable, lacksKey, toConnection } from "../../../lib/cli/claude_code/session.ts";
import { loadSources } from "../../../lib/config/sources/load_sources.ts";
import { parseConfig } from "../../../lib/config/parse.ts";
import type { Settings } from "../../../lib/config/settings.ts";
import { createGateway } from "../../../lib/gateway.ts";
import { type FetchHandler, serve } from "../../../lib/runtime/http/serve.ts";

const KEY = "a-key-of-alice-1234";
const LOCAL = { UPSTREAMS: { local: { url: "http://127.0.0.1:9/v1" } } };

/** Settings of a running gateway, a client's token, and true if Claude Code can use it. */
const GATEWAYS: [settings: Settings, token: string, usable: boolean][] = [
  [{}, "any", false],
  [{ OPENROUTER_API_KEY: "k" }, "any", true],
  [LOCAL, "any", false],
  [{ OPENROUTER_API_KEY: "k", GATEWAY_API_KEYS: KEY }, KEY, true],
  [{ OPENROUTER_API_KEY: "k", GATEWAY_API_KEYS: KEY }, "any", false],
];

for (const [settings, token, usable] of GATEWAYS) {
  test(`isUsable() of a gateway with ${JSON.stringify(settings)} and the token ${token}`, async () => {
    const gateway = createGateway({ settings: { ...settings, LOG_LEVEL: "off" }, host: "127.0.0.1" });
    assert.equal(await isServedUsable(gateway, token), usable);
  });
}

test("isUsable() is false for another server, and if none listens", async () => {
  const hello = { fetch: () => Promise.resolve(new Response("hello")) };
  assert.equal(await isServedUsable(hello, "any"), false);
  assert.equal(await isUsable({ url: "http://127.0.0.1:9", token: "any" }), false);
});

async function isServedUsable(handler: FetchHandler, token: string): Promise<boolean> {
  const server = await serve(handler, { port: 0, host: "127.0.0.1" });
  try {
    return await isUsable({ url: server.url, token });
  } finally {
    await server.stop();
  }
}

/** Variables of the environment, and the model of new sessions. */
const MODELS: [variables: Record<string, string>, model: string | undefined][] = [
  [{}, "demo/echo"],
  [{ OPENROUTER_API_KEY: "k" }, undefined],
  [{ ANTHROPIC_MODEL: "openai/gpt-5" }, "openai/gpt-5"],
  [{ ANTHROPIC_MODEL: "a/b", MODEL_MAP: '{"big": {"model": "a/b", "fallbacks": ["c/d"]}}' }, "big"],
  [{ MODEL_MAP: '{"fast": "openai/gpt-5-mini"}' }, "fast"],
  [{ UPSTREAMS: JSON.stringify(LOCAL.UPSTREAMS) }, undefined],
];

for (const [variables, model] of MODELS) {
  test(`chooseModel() with ${JSON.stringify(variables)}`, async () => {
    const sources = await loadSources({}, {
      readVariable: (name) => variables[name],
      readTextFile: () => "",
    });
    assert.equal(chooseModel(sources, parseConfig(sources)), model);
  });
}

/** Settings, and the address and token for clients on this machine. */
const CONNECTIONS: [settings: Settings, url: string, token: string][] = [
  [{}, "http://127.0.0.1:4000", "any"],
  [
    { HOST: "0.0.0.0", PORT: 1, GATEWAY_API_KEYS: `a:sha256:${"0".repeat(64)},b:${KEY}` },
    "http://127.0.0.1:1",
    KEY,
  ],
  [{ HOST: "::" }, "http://[::1]:4000", "any"],
  [{ HOST: "gateway.test" }, "http://gateway.test:4000", "any"],
];

for (const [settings, url, token] of CONNECTIONS) {
  test(`toConnection() of ${JSON.stringify(settings)}`, () => {
    assert.deepEqual(toConnection(parseConfig({ settings })), { url, token });
  });
}

/** Settings, a model of new sessions, and true if the settings lack its key. */
const KEYS: [settings: Settings, model: string | undefined, lacks: boolean][] = [
  [{}, "demo/echo", false],
  [{}, "openai/gpt-5", true],
  [{}, undefined, true],
  [{ OPENROUTER_API_KEY: "k" }, "openai/gpt-5", false],
  [LOCAL, "local/qwen3", false],
  [LOCAL, "local", true],
  [LOCAL, undefined, true],
  [{ MODEL_MAP: { fast: "openai/gpt-5-mini" } }, "fast", false],
];

for (const [settings, model, lacks] of KEYS) {
  test(`lacksKey() of ${model ?? "no model"} with ${JSON.stringify(settings)}`, () => {
    assert.equal(lacksKey(model, parseConfig({ settings })), lacks);
  });
}
