import assert from "node:assert/strict";
import { test } from "node:test";
import { readRoutePath } from "../../lib/server/routing/route_path.ts";
import { ROUTES } from "../../lib/server/routes.ts";
import { createTestGateway } from "../kit/gateway.ts";

const KEY = "alice-0123456789abcdef";

/** URLs as a server may pass them, and their path; `undefined` if it is not in normal form. */
const PATHS: [url: string, path: string | undefined][] = [
  ["http://gateway.test/v1/models", "/v1/models"],
  ["http://gateway.test", "/"],
  ["http://gateway.test?x=/../", "/"],
  ["http://gateway.test/v1/models?x=/../a#/../b", "/v1/models"],
  ["http://gateway.test//v1//models/", "//v1//models/"],
  ["http://gateway.test/v1/models/anthropic%2Fclaude", "/v1/models/anthropic%2Fclaude"],
  ["http://gateway.test/v1/models/a..b/...", "/v1/models/a..b/..."],
  ["http://user@gateway.test/health", "/health"],
  ["http://[::1]:4000/health", "/health"],
  ...[
    "/v1/models/../../health",
    "/v1/models/%2e%2e/%2E%2e/health",
    "/v1/models/.%2e/../health",
    "/v1/models/..\\..\\health",
    "\\v1\\models",
    "/v1\\models",
    "/./health",
    "/health/.",
    "/health/..",
    "/status/../health",
    "/v1/models/a b",
    "/v1/mod\tels",
    "/v1/modéls",
  ].map((path): [string, undefined] => [`http://gateway.test${path}`, undefined]),
  ["gateway.test/health", undefined],
  ["http://a b/health", undefined],
  ["/health", undefined],
];

for (const [url, path] of PATHS) {
  test(`readRoutePath() ${path === undefined ? "rejects" : "reads"} ${JSON.stringify(url)}`, async () => {
    if (path !== undefined) assert.equal(readRoutePath({ url }), path);
    else assert.throws(() => readRoutePath({ url }), { name: "ApiError", status: 400 });

    const gateway = createTestGateway({ settings: { GATEWAY_API_KEYS: KEY } });
    // The constructor of `Request` would normalize the URL.
    const request = Object.defineProperty(new Request("http://gateway.test/"), "url", { value: url });
    const response = await gateway.fetch(request);
    const { error } = await response.json();
    assert.equal(response.status, path === undefined ? 400 : path === "/health" ? 200 : 401);
    if (path === undefined) assert.equal(error.type, "invalid_request_error");
    assert.equal(gateway.upstream.listRequests.length, 0);
  });
}

/** Endpoints with other credentials: the sign-in of Claude Code, and signed calls of Restate. Both are off here. */
const OTHER_CREDENTIALS = /^\/(oauth|\.well-known|restate)\//;

test("ROUTES opens only the health check and the probes of Claude Code to callers without a key", () => {
  const open = ROUTES.flatMap(({ path, open = [] }) => open.map((method) => ({ method, path })));
  assert.equal(open.filter(({ path }) => OTHER_CREDENTIALS.test(path)).length, 10);
  const others = open.filter(({ path }) => !OTHER_CREDENTIALS.test(path)).map(({ method, path }) =>
    `${method} ${path}`
  );
  assert.deepEqual(others.sort(), ["GET /health", "HEAD /", "HEAD /api/hello", "HEAD /health"]);
});

for (const { method, path, open = [] } of ROUTES) {
  test(`${method} ${path} needs a key unless ROUTES marks the method as open`, async () => {
    const gateway = createTestGateway({ settings: { GATEWAY_API_KEYS: KEY } });
    const url = `http://gateway.test${path.replace(/:id(\{.*)?/, "some/model")}`;
    for (const verb of method === "GET" ? ["GET", "HEAD"] as const : [method]) {
      const isOpen = open.some((method) => method === verb);
      const response = await gateway.fetch(new Request(url, { method: verb }));
      await response.text();
      if (isOpen && OTHER_CREDENTIALS.test(path)) assert.ok([400, 404].includes(response.status));
      else assert.equal(response.status, isOpen ? 200 : 401);
      const headers = { "x-api-key": KEY };
      const authorized = await gateway.fetch(new Request(url, { method: verb, headers }));
      await authorized.text();
      assert.notEqual(authorized.status, 401);
    }
  });
}
