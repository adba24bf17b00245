import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { isJson } from "../kit/json.ts";
import { minimalRequest } from "../kit/requests/request.ts";

const ADMIN = "admin-0123456789abcdef";
const CLIENT = "client-0123456789abcdef";
const FAILING = {
  status: 500,
  headers: { "content-type": "application/json" },
  body: '{"error":{"message":"Down"}}',
};
const DEVELOPMENT: Settings = { ENVIRONMENT: "development" };

test("GET /debug/errors/{id} returns the entry of a failed request by either id, without its content", async () => {
  const gateway = createTestGateway({ settings: DEVELOPMENT, upstream: FAILING });
  const headers = { "x-correlation-id": "trace-1", "x-api-key": "secret-0123", "user-agent": "test/1" };
  const response = await gateway.post(minimalRequest("chat"), { headers });
  await response.text();
  const requestId = response.headers.get("request-id") ?? "";
  const [byCorrelation, byRequest] = await Promise.all(
    ["trace-1", requestId].map(async (id) => await (await gateway.get(`/debug/errors/${id}`)).json()),
  );
  assert.deepEqual(byCorrelation, byRequest);
  const { stack_trace, environment, context, ...entry } = byCorrelation;
  assert.deepEqual(entry, {
    timestamp: "2026-01-01T00:00:00.000Z",
    correlation_id: "trace-1",
    error_type: "api_error",
    error_message: "Down",
    request: {
      method: "POST",
      path: "/v1/messages",
      headers: { "content-type": "application/json", "user-agent": "test/1" },
      model: "vendor/model",
    },
    response: {
      status_code: response.status,
      headers: { "request-id": requestId },
      body: { type: "error", error: { type: "api_error", message: "Down" }, request_id: requestId },
    },
  });
  assert.match(stack_trace, /Down[^]*\n {4}at /);
  assert.equal(context.request_id, requestId);
  assert.equal(context.failure, "upstream");
  assert.deepEqual(Object.keys(environment), ["service", "version", "pid"]);
});

test("GET /debug/errors/{id} answers 404 for an unknown id", async () => {
  const response = await createTestGateway({ settings: DEVELOPMENT }).get("/debug/errors/none");
  assert.equal(response.status, 404);
  assert.equal(
    (await response.json()).error.message,
    'Cannot find error "none": no stored error has this id',
  );
});

test("GET /debug/errors/recent returns the newest first, and GET /debug/errors/stats counts all", async () => {
  const gateway = createTestGateway({ settings: DEVELOPMENT, upstream: FAILING });
  for (const id of ["a", "b", "c"]) {
    gateway.clock.advance(1000);
    await (await gateway.post(minimalRequest("chat"), { headers: { "x-correlation-id": id } })).text();
  }
  await (await gateway.post({ model: 1 })).text();
  const recent = await (await gateway.get("/debug/errors/recent?count=2")).json();
  assert.deepEqual([recent.count, recent.log_file], [2, null]);
  assert.deepEqual(recent.errors.map(({ error_type }: { error_type: string }) => error_type), [
    "invalid_request_error",
    "api_error",
  ]);
  const stats = await (await gateway.get("/debug/errors/stats")).json();
  assert.deepEqual(stats, {
    total_errors: 4,
    time_range: { oldest: "2026-01-01T00:00:01.000Z", newest: "2026-01-01T00:00:03.000Z" },
    error_types: { invalid_request_error: 1, api_error: 3 },
    error_services: { gateway: 1, openrouter: 3 },
    error_endpoints: { "POST /v1/messages": 4 },
  });
});

for (
  const [path, why] of [["recent?count=0", "count"], ["recent?count=101", "count"], [
    "recent?count=x",
    "count",
  ]]
) {
  test(`GET /debug/errors/${path} is rejected`, async () => {
    const response = await createTestGateway({ settings: DEVELOPMENT }).get(`/debug/errors/${path}`);
    assert.equal(response.status, 400);
    assert.match((await response.json()).error.message, new RegExp(`^${why}: Input should be`));
  });
}

test("POST /debug/errors/cleanup removes errors older than days_to_keep", async () => {
  const gateway = createTestGateway({ settings: DEVELOPMENT, upstream: FAILING });
  await (await gateway.post(minimalRequest("chat"))).text();
  gateway.clock.advance(3 * 86_400_000);
  await (await gateway.post(minimalRequest("chat"))).text();
  const path = "/debug/errors/cleanup?days_to_keep=2";
  assert.deepEqual(await (await gateway.post("", { path })).json(), {
    status: "ok",
    message: "Removed 1 errors older than 2 days",
  });
  assert.equal((await (await gateway.get("/debug/errors/recent")).json()).count, 1);
});

test("The errors keep the newest 500 entries in memory, and none of callers without a key", async () => {
  const settings = { GATEWAY_API_KEYS: CLIENT, GATEWAY_ADMIN_KEY: ADMIN };
  const gateway = createTestGateway({ settings });
  for (let nth = 0; nth < 510; nth++) {
    await (await gateway.post("{", { headers: { "x-api-key": CLIENT } })).text();
  }
  for (let nth = 0; nth < 10; nth++) await (await gateway.post("{")).text();
  const stats = await (await gateway.get("/debug/errors/stats", { "x-api-key": ADMIN })).json();
  assert.equal(stats.total_errors, 500);
  assert.deepEqual(stats.error_types, { invalid_request_error: 500 });
});

/** Keys, and the status of an endpoint of the class `debug`. */
const CALLERS: [settings: Settings, key: string | undefined, status: number][] = [
  [{}, undefined, 403],
  [{ ENVIRONMENT: "development" }, undefined, 200],
  [{ GATEWAY_API_KEYS: CLIENT, GATEWAY_ADMIN_KEY: ADMIN }, undefined, 401],
  [{ GATEWAY_API_KEYS: CLIENT, GATEWAY_ADMIN_KEY: ADMIN }, CLIENT, 403],
  [{ GATEWAY_API_KEYS: CLIENT, GATEWAY_ADMIN_KEY: ADMIN }, ADMIN, 200],
  [{ GATEWAY_ADMIN_KEY: ADMIN }, undefined, 403],
  [{ GATEWAY_ADMIN_KEY: ADMIN }, ADMIN, 200],
  [{ GATEWAY_API_KEYS: CLIENT, ENVIRONMENT: "development" }, CLIENT, 200],
  [{ GATEWAY_API_KEYS: CLIENT, ENVIRONMENT: "development" }, undefined, 401],
];

for (const [settings, key, status] of CALLERS) {
  const who = `${key?.split("-")[0] ?? "no key"} with ${Object.keys(settings).join(", ") || "no settings"}`;
  test(`GET /debug/errors/recent answers ${status} to ${who}`, async () => {
    const gateway = createTestGateway({ settings });
    for (const headers of [{ "x-api-key": key }, { authorization: key && `Bearer ${key}` }]) {
      const sent = Object.fromEntries(
        Object.entries(headers).flatMap(([name, value]) => value ? [[name, value]] : []),
      );
      const response = await gateway.get("/debug/errors/recent", sent);
      const body: unknown = await response.json();
      assert.equal(response.status, status, isJson(body) ? JSON.stringify(body.error) : "");
    }
  });
}
