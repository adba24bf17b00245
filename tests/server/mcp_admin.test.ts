import assert from "node:assert/strict";
import { test } from "node:test";
import { ROUTES } from "../../lib/server/routes.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { dig } from "../kit/json.ts";

const ALICE = "alice-0123456789abcdef";
const ADMIN = "admin-0123456789abcdef";

const MCP_ROUTES = ROUTES.filter(({ path }) => path.startsWith("/v1/mcp/"));

test("ROUTES opens the endpoints of MCP servers to the admin key only", () => {
  assert.equal(MCP_ROUTES.length, 12);
  for (const { method, path, access, open } of MCP_ROUTES) {
    assert.deepEqual([access, open], ["admin_key", undefined], `${method} ${path}`);
  }
});

const KEYS: [
  name: string,
  settings: Record<string, string>,
  headers: Record<string, string>,
  status: number,
][] = [
  ["no key", { GATEWAY_ADMIN_KEY: ADMIN }, {}, 401],
  ["an unknown key", { GATEWAY_ADMIN_KEY: ADMIN }, { "x-api-key": "other" }, 401],
  ["a key for an upstream", { GATEWAY_ADMIN_KEY: ADMIN }, { authorization: "Bearer sk-or-1" }, 401],
  ["a client's key", { GATEWAY_ADMIN_KEY: ADMIN, GATEWAY_API_KEYS: ALICE }, { "x-api-key": ALICE }, 403],
  ["the admin key", { GATEWAY_ADMIN_KEY: ADMIN, GATEWAY_API_KEYS: ALICE }, { "x-api-key": ADMIN }, 200],
  [
    "the admin key as a Bearer token",
    { GATEWAY_ADMIN_KEY: ADMIN },
    { authorization: `Bearer ${ADMIN}` },
    200,
  ],
  ["the admin key beside a client's key", { GATEWAY_ADMIN_KEY: ADMIN, GATEWAY_API_KEYS: ALICE }, {
    "x-api-key": ALICE,
    authorization: `Bearer ${ADMIN}`,
  }, 200],
  ["no admin key in the settings", {}, {}, 403],
  [
    "a client's key without an admin key in the settings",
    { GATEWAY_API_KEYS: ALICE },
    { "x-api-key": ALICE },
    403,
  ],
];

for (const [name, settings, headers, status] of KEYS) {
  test(`/v1/mcp/ answers ${name} with ${status}`, async () => {
    const gateway = createTestGateway({ settings });
    for (const { method, path } of MCP_ROUTES) {
      const request = new Request(`http://gateway.test${path.replace(":name", "files")}`, {
        method,
        headers: { ...headers, "content-type": "application/json" },
        ...(method === "POST" && { body: '{"server_names":["files"]}' }),
      });
      const response = await gateway.fetch(request);
      await response.text();
      // Without a configuration, no server has the name `files`.
      const expected = status === 200 && path.includes(":name") ? 404 : status;
      assert.equal(response.status, expected, `${method} ${path}`);
    }
  });
}

test("/v1/mcp/ has no servers without MCP_CONFIG", async () => {
  const gateway = createTestGateway({ settings: { GATEWAY_ADMIN_KEY: ADMIN } });
  const headers = { "x-api-key": ADMIN };
  const read = async (path: string) => await (await gateway.get(path, headers)).json();
  assert.deepEqual(await read("/v1/mcp/servers"), []);
  assert.deepEqual(await read("/v1/mcp/servers/status"), {});
  assert.deepEqual(await read("/v1/mcp/config"), { total_servers: 0, configurations: {} });
  assert.deepEqual(await read("/v1/mcp/health"), {
    ...{ total_servers: 0, running_servers: 0, healthy_servers: 0, unhealthy_servers: 0 },
    ...{ overall_health: "healthy", results: [], timestamp: "2026-01-01T00:00:00.000Z" },
  });
  const missing = await gateway.get("/v1/mcp/servers/a%20b/status", headers);
  assert.equal(missing.status, 404);
  assert.equal(
    dig(await missing.json(), "error", "message"),
    'Cannot find MCP server "a b": MCP_CONFIG has none of this name',
  );
});

const BODIES: [path: string, body: string, message: RegExp][] = [
  ["start", "{}", /^server_names: Input should be a valid list$/],
  ["start", '{"server_names":[]}', /^server_names: List should have at least 1 item$/],
  ["start", '{"server_names":["a",1]}', /^server_names\.1: Input should be a valid string$/],
  ["start", '{"server_names":["a"],"command":"sh"}', /^command: Extra inputs are not permitted$/],
  ["stop", '{"server_names":["a"],"force":"yes"}', /^force: Input should be a valid boolean$/],
  ["stop", "[]", /^body: Input should be an object$/],
];

for (const [path, body, message] of BODIES) {
  test(`POST /v1/mcp/servers/${path} rejects ${body}`, async () => {
    const gateway = createTestGateway({ settings: { GATEWAY_ADMIN_KEY: ADMIN } });
    const options = { path: `/v1/mcp/servers/${path}`, headers: { "x-api-key": ADMIN } };
    const response = await gateway.post(body, options);
    assert.equal(response.status, 400);
    assert.match(String(dig(await response.json(), "error", "message")), message);
  });
}
