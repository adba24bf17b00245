import assert from "node:assert/strict";
import { test } from "node:test";
import { toCanonicalPath } from "../../lib/server/routing/canonical_path.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { dig, text } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

/** Prefixes of base URLs before an endpoint. */
const PREFIXES = [
  "",
  "/v1",
  "/v1/v1",
  "/v1/v1/v1",
  "/api",
  "/api/v1",
  "/api/v1/v1",
  "/v1/api/v1",
  "//",
  "//v1/",
];
const WHOLE = ["/v1/messages/v1", "/messages/v1", "/v1/messages", "/api/v1/messages/v1"];

const ENDPOINTS = [
  "/messages",
  "/messages/stream",
  "/messages/count_tokens",
  "/models",
  "/models/acme/talker-1",
  "/models/acme%2Ftalker-1",
];

for (const endpoint of ENDPOINTS) {
  test(`toCanonicalPath() finds /v1${endpoint} after any base URL`, () => {
    for (const prefix of [...PREFIXES, ...WHOLE]) {
      for (const end of ["", "/", "//"]) {
        for (const slash of ["/", "//", "///"]) {
          const path = prefix + endpoint.replace("/", slash) + end;
          assert.equal(toCanonicalPath(path), `/v1${endpoint}`, path);
        }
      }
    }
  });
}

const OTHERS: [path: string, canonical: string][] = [
  ["/", "/"],
  ["//", "/"],
  ["", ""],
  ["/health/", "/health"],
  ["//health", "/health"],
  ["/api/hello", "/api/hello"],
  ["/v1", "/v1"],
  ["/v2/messages", "/v2/messages"],
  ["/v1messages", "/v1messages"],
  ["/messagesx", "/messagesx"],
  ["/v1/models/v1/messages", "/v1/models/v1/messages"],
  ["/v1/models/messages", "/v1/models/messages"],
  ["/v1/chat/completions", "/v1/chat/completions"],
];

for (const [path, canonical] of OTHERS) {
  test(`toCanonicalPath() returns ${canonical} for ${path}`, () =>
    assert.equal(toCanonicalPath(path), canonical));
}

test("POST /v1/messages, count_tokens and GET /v1/models answer at base URLs that are slightly wrong", async () => {
  const models = '{"data":[{"id":"vendor/model"}]}';
  for (const prefix of [...PREFIXES, ...WHOLE]) {
    for (const end of ["", "/", "?beta=true"]) {
      const upstream = new FakeUpstream({ body: COMPLETE_STREAMS.chat }, { models });
      const gateway = createTestGateway({ upstream });
      const post = async (path: string) => {
        const response = await gateway.post(minimalRequest("chat"), { path: prefix + path + end });
        assert.equal(response.status, 200, prefix + path + end);
        return response;
      };
      assert.equal(dig(await (await post("/messages")).json(), "type"), "message");
      assert.match(await (await post("/messages/stream")).text(), /event: message_stop/);
      assert.ok(dig(await (await post("/messages/count_tokens")).json(), "input_tokens"));
      for (const path of ["/models", "/models/vendor/model", "/models/vendor%2Fmodel"]) {
        assert.equal((await gateway.get(prefix + path + end)).status, 200, prefix + path + end);
      }
    }
  }
});

const MISSING: [method: string, path: string, nearest: string][] = [
  ["POST", "/v1/message", "POST /v1/messages"],
  ["POST", "/v1/mesages", "POST /v1/messages"],
  ["GET", "/v1/messages", "POST /v1/messages"],
  ["PUT", "/v1/messages", "POST /v1/messages"],
  ["POST", "/v1/models", "GET /v1/models"],
  ["GET", "/v1/model", "GET /v1/models"],
  ["GET", "/healthz", "GET /health"],
  ["GET", "/stats", "GET /status"],
  ["POST", "/v1/messages/count-tokens", "POST /v1/messages/count_tokens"],
];

for (const [method, path, nearest] of MISSING) {
  test(`${method} ${path} is a 404 that names "${nearest}"`, async () => {
    const headers = { "content-type": "application/json" };
    const init = { method, headers, ...(method === "GET" ? {} : { body: "{}" }) };
    const response = await createTestGateway().fetch(new Request(`http://gateway.test${path}`, init));
    assert.equal(response.status, 404);
    const error = dig(await response.json(), "error", "message");
    assert.equal(error, `Cannot ${method} ${path}: no such endpoint; the nearest is "${nearest}"`);
  });
}

test("a path of any length results in a short error", async () => {
  const response = await createTestGateway().get(`/${"x/".repeat(50_000)}`);
  assert.equal(response.status, 404);
  assert.ok(text(dig(await response.json(), "error", "message")).length < 400);
});
