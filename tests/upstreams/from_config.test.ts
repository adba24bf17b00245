import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createGateway } from "../../lib/gateway.ts";
import { FakeClock } from "../kit/clock.ts";
import { objects, text } from "../kit/json.ts";

const SAID =
  'data: {"choices":[{"delta":{"content":"Bees hum."},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n';

const UPSTREAMS = {
  gpu: { url: "http://gpu.test/v1", preset: "vllm", key: "key-of-the-gpu" },
  azure: { url: "http://azure.test/v1", key: "key-of-azure" },
  away: { url: "http://away.test/v1" },
} as const;
const MODEL_MAP = {
  fast: { model: "acme/talker-1", fallbacks: ["gpu/talker-2"] },
  near: { model: "talker-2", upstream: "gpu" },
};

/** A network of these hosts: each gives the answer to a path, or cannot be reached. */
function createNetwork(
  hosts: Record<string, (path: string, init: RequestInit) => Response | Promise<Response>>,
) {
  const asked: string[] = [];
  const network: typeof fetch = async (input, init = {}) => {
    const { host, pathname } = new URL(String(input));
    asked.push(`${host}${pathname} ${new Headers(init.headers).get("authorization") ?? "-"}`);
    const answer = hosts[host];
    if (answer === undefined) throw Object.assign(new TypeError("fetch failed"), { code: "ECONNREFUSED" });
    return await answer(pathname, init);
  };
  return { network, asked };
}

const list = (...ids: string[]) => Response.json({ data: ids.map((id) => ({ id })) });
const say = () => new Response(SAID, { headers: { "content-type": "text/event-stream" } });
/** Answers for models with a list, for anything else with words. */
const talker = (...ids: string[]) => (path: string) => path.endsWith("/models") ? list(...ids) : say();

function create(network: typeof fetch, settings: Settings = {}, clock = new FakeClock()) {
  return createGateway({ settings: { UPSTREAMS, MODEL_MAP, ...settings }, fetch: network, clock });
}

function ask(model: string, init: RequestInit = {}): Request {
  const body = JSON.stringify({ model, max_tokens: 64, messages: [{ role: "user", content: "Hi" }] });
  const headers = { "content-type": "application/json", "x-api-key": "key-of-the-client" };
  return new Request("http://gateway.test/v1/messages", { method: "POST", headers, body, ...init });
}

test("GET /v1/models lists the named upstreams' models under their names, and leaves out who cannot be reached", async () => {
  const { network, asked } = createNetwork({
    "openrouter.ai": talker("acme/talker-1"),
    "gpu.test": talker("talker-2"),
    "azure.test": talker("not-deployed"),
  });
  const request = new Request("http://gateway.test/v1/models", {
    headers: { authorization: "Bearer key-of-the-client" },
  });
  const { data } = await (await create(network).fetch(request)).json();
  assert.deepEqual(objects(data).map(({ id }) => text(id)), [
    "demo/echo",
    "big",
    "claude-gw-big",
    "small",
    "claude-gw-small",
    "fast",
    "claude-gw-fast",
    "near",
    "claude-gw-near",
    "acme/talker-1",
    "gpu/talker-2",
  ]);
  assert.deepEqual(asked.sort(), [
    "away.test/v1/models -",
    "gpu.test/v1/models Bearer key-of-the-gpu",
    "openrouter.ai/api/v1/models Bearer key-of-the-client",
  ]);
});

const WAYS: [model: string, answeredBy: string][] = [
  ["acme/talker-1", "openrouter/acme/talker-1"],
  ["near", "gpu/talker-2"],
  ["gpu/talker-2", "gpu/talker-2"],
  ["gpu/deep/talker-2", "gpu/deep/talker-2"],
  ["gpu/claude-opus-5-5", "gpu/claude-opus-5-5"],
  ["claude-opus-5-5", "openrouter/anthropic/claude-opus-5.5"],
  ["openrouter/auto", "openrouter/openrouter/auto"],
  ["openrouter/gpu/talker-9", "openrouter/gpu/talker-9"],
  ["demo/echo", "demo/echo"],
];

for (const [model, answeredBy] of WAYS) {
  test(`model "${model}" is asked of ${answeredBy}`, async () => {
    const { network } = createNetwork({ "openrouter.ai": say, "gpu.test": talker("only-this") });
    const settings = { UPSTREAM_DIALECT: "openai" };
    const response = await create(network, settings).fetch(ask(model));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-gateway-model"), answeredBy);
  });
}

const FAILURES: [what: string, openrouter: () => Response, fallsBack: boolean][] = [
  ["429", () => Response.json({ error: { message: "no" } }, { status: 429 }), true],
  ["402", () => Response.json({ error: { message: "no" } }, { status: 402 }), true],
  ["404", () => Response.json({ error: { message: "no" } }, { status: 404 }), true],
  ["408", () => Response.json({ error: { message: "no" } }, { status: 408 }), true],
  ["500", () => Response.json({ error: { message: "no" } }, { status: 500 }), true],
  ["529", () => Response.json({ error: { message: "no" } }, { status: 529 }), true],
  ["a redirect", () => new Response(null, { status: 307, headers: { location: "http://other.test" } }), true],
  ["a page", () => new Response("<html>", { headers: { "content-type": "text/html" } }), true],
  ["an empty stream", () => new Response("", { headers: { "content-type": "text/event-stream" } }), true],
  ["400", () => Response.json({ error: { message: "no" } }, { status: 400 }), false],
  ["401", () => Response.json({ error: { message: "no" } }, { status: 401 }), false],
  ["403", () => Response.json({ error: { message: "no" } }, { status: 403 }), false],
  ["413", () => Response.json({ error: { message: "no" } }, { status: 413 }), false],
];

for (const [what, answer, fallsBack] of FAILURES) {
  test(`a fallback is ${fallsBack ? "asked" : "not asked"} after ${what}`, async () => {
    const { network, asked } = createNetwork({
      "openrouter.ai": (path) => path.endsWith("/models") ? list() : answer(),
      "gpu.test": talker(),
    });
    const response = await create(network).fetch(ask("fast"));
    assert.equal(response.ok, fallsBack);
    assert.equal(response.headers.get("x-gateway-model"), fallsBack ? "gpu/talker-2" : null);
    assert.equal(asked.some((one) => one.startsWith("gpu.test/v1/chat")), fallsBack);
  });
}

test("a fallback is asked where the first cannot be reached, and where its list no longer has the model", async () => {
  const unreachable = createNetwork({ "gpu.test": talker() });
  const gone = createNetwork({ "openrouter.ai": talker("acme/talker-9"), "gpu.test": talker() });
  for (const { network } of [unreachable, gone]) {
    const response = await create(network).fetch(ask("fast"));
    assert.equal(response.headers.get("x-gateway-model"), "gpu/talker-2");
  }
  assert.deepEqual(gone.asked.filter((one) => one.includes("/chat/")), [
    "gpu.test/v1/chat/completions Bearer key-of-the-gpu",
  ]);
});

test("no fallback is asked for a client that has left, nor when the request's time is over", async () => {
  for (const end of ["leave", "deadline"]) {
    const client = new AbortController();
    const clock = new FakeClock();
    let tellWaiting = () => {};
    const waiting = new Promise<void>((resolve) => tellWaiting = resolve);
    const { network, asked } = createNetwork({
      "openrouter.ai": (path, { signal }) => {
        if (path.endsWith("/models")) return list();
        tellWaiting();
        return new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason))
        );
      },
      "gpu.test": talker(),
    });
    const response = create(network, { REQUEST_TIMEOUT: 60 }, clock).fetch(
      ask("fast", { signal: client.signal }),
    );
    await waiting;
    if (end === "leave") client.abort();
    else clock.advance(60_000);
    assert.equal((await response).ok, false);
    assert.deepEqual(asked.filter((one) => one.startsWith("gpu.test")), [], end);
  }
});

test("a conversation that Anthropic keeps is not continued by a fallback that knows nothing of it", async () => {
  const { network, asked } = createNetwork({
    "api.anthropic.com": () =>
      Response.json({ error: { type: "overloaded_error", message: "Overloaded" } }, { status: 529 }),
    "openrouter.ai": talker(),
  });
  const settings: Settings = {
    UPSTREAMS: { direct: { url: "https://api.anthropic.com/v1", key: "key-of-anthropic" } },
    MODEL_MAP: { kept: { model: "claude-x", upstream: "direct", fallbacks: ["acme/talker-1"] } },
  };
  const thread = { type: "create" };
  const body = JSON.stringify({
    model: "kept",
    max_tokens: 9,
    thread,
    messages: [{ role: "user", content: "Hi" }],
  });
  const response = await create(network, settings).fetch(ask("kept", { body }));
  assert.equal(response.status, 529);
  assert.deepEqual(asked.filter((one) => one.includes("/chat/")), []);
});
