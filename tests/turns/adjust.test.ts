import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { DONE, writeDelta } from "../kit/streams.ts";
import { type FakeResponse, FakeUpstream, type SentRequest } from "../kit/upstream.ts";
import { toBytes } from "../kit/bytes.ts";

const GOOD: FakeResponse = {
  body: [writeDelta({ content: "Hi" }), writeDelta({}, { finish_reason: "stop" }) + DONE].map(toBytes),
};
const refuse = (message: string, status = 400): FakeResponse => ({
  status,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ error: { message } }),
});
const NO_STOP = refuse("Model m does not support parameter stop.");
const unrecognized = (name: string) => refuse(`Unrecognized request argument supplied: ${name}`);

/** Creates an upstream whose response depends on the request. */
function upstreamFor(reply: (request: SentRequest) => FakeResponse): FakeUpstream {
  const upstream: FakeUpstream = new FakeUpstream(() => {
    const request = upstream.requests.at(-1);
    assert.ok(request !== undefined);
    return reply(request);
  });
  return upstream;
}

/** Creates an upstream that rejects each of these fields, one after the other, while a request has it. */
function strictUpstream(...fields: string[]): FakeUpstream {
  return upstreamFor(({ body }) => {
    const refused = fields.find((field) => body[field] !== undefined);
    return refused === undefined ? GOOD : unrecognized(refused);
  });
}

const fields = { stop_sequences: ["X"], temperature: 0.5, top_p: 0.9 };

test("POST /v1/messages remembers an adjustment that helped, for the model", async () => {
  const upstream = strictUpstream("stop");
  const { post } = createTestGateway({ upstream });
  for (const expected of [2, 3]) {
    const response = await post(minimalRequest("chat", fields));
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("x-gateway-loss"), "stop_sequences;dropped");
    assert.equal(upstream.requests.length, expected);
    await response.text();
  }
  await (await post(minimalRequest("chat", { ...fields, model: "vendor/other" }))).text();
  assert.equal(upstream.requests.length, 5, "another model may take it");
});

test("POST /v1/messages makes at most two adjustments, and remembers those that helped", async () => {
  const upstream = strictUpstream("stop", "temperature", "top_p");
  const { post } = createTestGateway({ upstream });
  const first = await post(minimalRequest("chat", fields));
  assert.equal(first.status, 400);
  assert.match(await first.text(), /Unrecognized request argument supplied: stop/);
  assert.equal(upstream.requests.length, 3);
  const second = await post(minimalRequest("chat", fields));
  assert.equal(second.status, 200);
  assert.equal(upstream.requests.length, 5);
});

test("POST /v1/messages does not remember an adjustment that did not help", async () => {
  const upstream = new FakeUpstream(() => NO_STOP);
  const { post, get } = createTestGateway({ upstream });
  await (await post(minimalRequest("chat", fields))).text();
  assert.equal(upstream.requests.length, 2);
  assert.deepEqual((await (await get("/status")).json()).learned, []);
});

test("POST /v1/messages does not repeat a request that the adjustment does not change", async () => {
  const upstream = new FakeUpstream(() => NO_STOP);
  const { post } = createTestGateway({ upstream });
  assert.equal((await post(minimalRequest("chat"))).status, 400);
  assert.equal(upstream.requests.length, 1);
});

test("POST /v1/messages makes no adjustment after the answer has begun", async () => {
  const body = [
    writeDelta({ content: "Hi" }),
    'data: {"error":{"message":"Model m does not support parameter stop."}}\n\n',
  ];
  const upstream = new FakeUpstream([{ body: body.map(toBytes) }]);
  const { post } = createTestGateway({ upstream });
  const text = await (await post(minimalRequest("chat", { ...fields, stream: true }))).text();
  assert.match(text, /event: error/);
  assert.equal(upstream.requests.length, 1);
});

test("POST /v1/messages adjusts a request that is rejected within the stream, before its content", async () => {
  const body = ['data: {"error":{"message":"Model m does not support parameter stop.","code":400}}\n\n'];
  const upstream = new FakeUpstream([{ body: body.map(toBytes) }, GOOD]);
  const { post } = createTestGateway({ upstream });
  assert.equal((await post(minimalRequest("chat", fields))).status, 200);
  assert.equal(upstream.requests.length, 2);
});

test("POST /v1/messages does not drop the options of an alias", async () => {
  const upstream = strictUpstream("min_p");
  const MODEL_MAP = { odd: { model: "vendor/model", options: { min_p: 0.1 } } };
  const { post } = createTestGateway({ upstream, settings: { MODEL_MAP } });
  assert.equal((await post(minimalRequest("chat", { model: "odd" }))).status, 400);
  assert.equal(upstream.requests.length, 1);
});

test("GET /status lists the learned adjustments for operators only", async () => {
  const { post, get } = createTestGateway({ upstream: strictUpstream("stop") });
  const response = await post(minimalRequest("chat", { ...fields, model: "vendor/model" }));
  await response.text();
  assert.deepEqual((await (await get("/status")).json()).learned, [
    { model: "openrouter/vendor/model", adjustments: [{ change: "drop_parameter", parameter: "stop" }] },
  ]);
});

test("POST /v1/messages/count_tokens counts the adjusted request of an upstream that counts", async () => {
  const upstream = upstreamFor(({ url }) =>
    url.endsWith("/count_tokens")
      ? { headers: { "content-type": "application/json" }, body: JSON.stringify({ input_tokens: 7 }) }
      : GOOD
  );
  const UPSTREAMS = { llamacpp: { url: "http://gpu.test/v1", dialect: "anthropic" as const } };
  const { post } = createTestGateway({ upstream, settings: { UPSTREAMS } });
  const messages = [{ role: "user", content: "Hi" }, { role: "system", content: "Be kind." }];
  await post({ model: "llamacpp/qwen", messages }, { path: "/v1/messages/count_tokens" });
  const counted = upstream.requests.at(-1)?.body;
  assert.doesNotMatch(JSON.stringify(counted), /"role":"system"/);
});
