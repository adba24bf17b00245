import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway, type TestGateway, type TestRequestOptions } from "../kit/gateway.ts";
import { type Json, objects, text } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

const UPSTREAMS = {
  gpu: { url: "http://gpu.test/v1", preset: "vllm", key: "key-of-the-gpu" },
  azure: { url: "http://azure.test/v1", key: "key-of-azure" },
  away: { url: "http://away.test/v1" },
} as const;
const MODEL_MAP = {
  fast: { model: "acme/talker-1", fallbacks: ["gpu/talker-2"] },
  near: { model: "talker-2", upstream: "gpu" },
};

/** Creates a `fetch` that reaches only these hosts, and records the requests. */
function createNetwork(
  hosts: Record<string, (path: string, init: RequestInit) => Response | Promise<Response>>,
) {
  const sent: string[] = [];
  const network: typeof fetch = async (input, init = {}) => {
    const { host, pathname } = new URL(String(input));
    sent.push(`${host}${pathname} ${new Headers(init.headers).get("authorization") ?? "-"}`);
    const answer = hosts[host];
    if (answer === undefined) throw Object.assign(new TypeError("fetch failed"), { code: "ECONNREFUSED" });
    return await answer(pathname, init);
  };
  return { network, sent };
}

const list = (...ids: string[]) => Response.json({ data: ids.map((id) => ({ id })) });
const answer = () =>
  new Response(COMPLETE_STREAMS.chat, { headers: { "content-type": "text/event-stream" } });
/** Answers with a list of models, or with a complete stream. */
const listAnd = (...ids: string[]) => (path: string) => path.endsWith("/models") ? list(...ids) : answer();

/** Creates a gateway without a key for OpenRouter. */
function createGatewayOn(network: typeof fetch, settings: Settings = {}): TestGateway {
  const own = { OPENROUTER_API_KEY: undefined, UPSTREAMS, MODEL_MAP };
  return createTestGateway({ settings: { ...own, ...settings }, fetch: network });
}

function sendMessage({ post }: TestGateway, fields: Json, options: TestRequestOptions = {}) {
  return post(minimalRequest("chat", fields), { headers: { "x-api-key": "key-of-the-client" }, ...options });
}

test("GET /v1/models lists the models of named upstreams under their names, without unreachable ones", async () => {
  const { network, sent } = createNetwork({
    "openrouter.ai": listAnd("acme/talker-1"),
    "gpu.test": listAnd("talker-2"),
    "azure.test": listAnd("not-deployed"),
  });
  const headers = { authorization: "Bearer key-of-the-client" };
  const { data } = await (await createGatewayOn(network).get("/v1/models", headers)).json();
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
  assert.deepEqual(sent.sort(), [
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
  test(`POST /v1/messages sends model "${model}" to ${answeredBy}`, async () => {
    const { network } = createNetwork({ "openrouter.ai": answer, "gpu.test": listAnd("only-this") });
    const settings = { UPSTREAM_DIALECT: "openai" };
    const response = await sendMessage(createGatewayOn(network, settings), { model });
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
  test(`POST /v1/messages ${fallsBack ? "calls" : "does not call"} a fallback after ${what}`, async () => {
    const { network, sent } = createNetwork({
      "openrouter.ai": (path) => path.endsWith("/models") ? list() : answer(),
      "gpu.test": listAnd(),
    });
    const response = await sendMessage(createGatewayOn(network), { model: "fast" });
    assert.equal(response.ok, fallsBack);
    assert.equal(response.headers.get("x-gateway-model"), fallsBack ? "gpu/talker-2" : null);
    assert.equal(sent.some((one) => one.startsWith("gpu.test/v1/chat")), fallsBack);
  });
}

test("POST /v1/messages calls a fallback if the first upstream is unreachable or no longer lists the model", async () => {
  const unreachable = createNetwork({ "gpu.test": listAnd() });
  const gone = createNetwork({ "openrouter.ai": listAnd("acme/talker-9"), "gpu.test": listAnd() });
  for (const { network } of [unreachable, gone]) {
    const response = await sendMessage(createGatewayOn(network), { model: "fast" });
    assert.equal(response.headers.get("x-gateway-model"), "gpu/talker-2");
  }
  assert.deepEqual(gone.sent.filter((one) => one.includes("/chat/")), [
    "gpu.test/v1/chat/completions Bearer key-of-the-gpu",
  ]);
});

test("POST /v1/messages calls no fallback if the client has disconnected or time is over", async () => {
  for (const end of ["leave", "deadline"]) {
    const client = new AbortController();
    let onSent = () => {};
    const waiting = new Promise<void>((resolve) => onSent = resolve);
    const { network, sent } = createNetwork({
      "openrouter.ai": (path, { signal }) => {
        if (path.endsWith("/models")) return list();
        onSent();
        return new Promise((_resolve, reject) =>
          signal?.addEventListener("abort", () => reject(signal.reason))
        );
      },
      "gpu.test": listAnd(),
    });
    const gateway = createGatewayOn(network, { REQUEST_TIMEOUT: 60 });
    const response = sendMessage(gateway, { model: "fast" }, { signal: client.signal });
    await waiting;
    if (end === "leave") client.abort();
    else gateway.clock.advance(60_000);
    assert.equal((await response).ok, false);
    assert.deepEqual(sent.filter((one) => one.startsWith("gpu.test")), [], end);
  }
});

test("POST /v1/messages calls no fallback for a conversation that Anthropic stores", async () => {
  const { network, sent } = createNetwork({
    "api.anthropic.com": () =>
      Response.json({ error: { type: "overloaded_error", message: "Overloaded" } }, { status: 529 }),
    "openrouter.ai": listAnd(),
  });
  const settings: Settings = {
    UPSTREAMS: { direct: { url: "https://api.anthropic.com/v1", key: "key-of-anthropic" } },
    MODEL_MAP: { kept: { model: "claude-x", upstream: "direct", fallbacks: ["acme/talker-1"] } },
  };
  const thread = { type: "create" };
  const response = await sendMessage(createGatewayOn(network, settings), { model: "kept", thread });
  assert.equal(response.status, 529);
  assert.deepEqual(sent.filter((one) => one.includes("/chat/")), []);
});
