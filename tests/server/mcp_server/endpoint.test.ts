import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../../kit/gateway.ts";
import { captureLog } from "../../kit/log.ts";
import { ALICE, BOB, createMcpGateway, ENVELOPE, INITIALIZE, readMessages, toPost } from "./mcp_gateway.ts";

const MODERN = { "mcp-protocol-version": "2026-07-28" };

for (const protocolVersion of ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"]) {
  test(`POST /mcp starts a session in protocol version ${protocolVersion}`, async () => {
    const gateway = createMcpGateway();
    const params = { ...INITIALIZE, protocolVersion };
    const response = await gateway.post({ jsonrpc: "2.0", id: "a", method: "initialize", params });
    assert.equal(response.status, 200);
    assert.match(response.headers.get("mcp-session-id") ?? "", /^mcp_\w{24}$/);
    const [{ id, result }] = await readMessages(response);
    assert.deepEqual([id, result.protocolVersion, result.capabilities], ["a", protocolVersion, {
      tools: {},
    }]);
    assert.equal(result.serverInfo.name, "openrouter-anthropic-server");

    const initialized = { jsonrpc: "2.0", method: "notifications/initialized" };
    const headers = { "mcp-session-id": response.headers.get("mcp-session-id") ?? "" };
    const accepted = await gateway.post(initialized, { headers });
    assert.deepEqual([accepted.status, await accepted.text()], [202, ""]);
    assert.equal(gateway.clock.waiting, 0);
  });
}

test("POST /mcp lists the tools with their annotations, without those that need a conversation", async () => {
  const { result } = await createMcpGateway().ask("tools/list");
  const annotations = result.tools.map((tool: { name: string; annotations: object }) => [
    tool.name,
    tool.annotations,
  ]);
  const unknown = { readOnlyHint: false, destructiveHint: true, idempotentHint: false, openWorldHint: true };
  assert.deepEqual(Object.fromEntries(annotations), {
    Echo: unknown,
    Fail: unknown,
    Show: unknown,
    Paper: { readOnlyHint: true, openWorldHint: false },
    Note: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
    Broken: unknown,
  });
  const [{ inputSchema }] = result.tools;
  assert.deepEqual([inputSchema.type, inputSchema.required], ["object", ["word"]]);
});

const text = (text: string) => [{ type: "text", text }];

const CALLS: [name: string, input: object, result: object][] = [
  ["Echo", { word: "a" }, { content: text("You said a") }],
  ["Show", {}, { content: [{ type: "image", mimeType: "image/png", data: "AAAA" }] }],
  ["Paper", {}, {
    content: [{
      type: "resource",
      resource: { uri: "workspace:///a%20folder/%C3%A4.pdf", mimeType: "application/pdf", blob: "JVBERi0=" },
    }],
  }],
  ["Fail", {}, { content: text("Cannot do it: it is broken"), isError: true }],
  ["Echo", {}, {
    content: text('Cannot use Echo: word: Invalid key: Expected "word" but received undefined'),
    isError: true,
  }],
  ["Broken", {}, { content: text("Cannot run Broken: the gateway failed"), isError: true }],
];

for (const [name, input, expected] of CALLS) {
  test(`POST /mcp calls ${name} with ${JSON.stringify(input)} in both kinds of protocol`, async () => {
    const gateway = createMcpGateway();
    assert.deepEqual(await gateway.call(name, input), { jsonrpc: "2.0", id: 1, result: expected });
    const params = { name, arguments: input, _meta: ENVELOPE };
    const headers = { ...MODERN, "mcp-method": "tools/call", "mcp-name": name };
    const { result: { resultType, _meta, ...result } } = await gateway.ask("tools/call", params, { headers });
    assert.deepEqual([resultType, result], ["complete", expected]);
    assert.deepEqual(gateway.audit.map(({ client, tool }) => [client, tool]), [["alice", name], [
      "alice",
      name,
    ]]);
    assert.equal(gateway.clock.waiting, 0);
  });
}

const DEEP = `${"[".repeat(201)}${"]".repeat(201)}`;
const PING = { jsonrpc: "2.0", id: 1, method: "ping" };

const MISTAKES: Record<
  string,
  [body: unknown, headers: Record<string, string>, status: number, code: number]
> = {
  "no JSON": ["{", {}, 400, -32700],
  "JSON that is too deep": [DEEP, {}, 400, -32700],
  "a number that is not finite": ['{"jsonrpc":"2.0","id":1e999,"method":"ping"}', {}, 400, -32700],
  "no message": [{ a: 1 }, {}, 400, -32600],
  "no batch": [[], {}, 400, -32600],
  "a batch that is too long": [Array(65).fill(PING), {}, 400, -32600],
  "two initializations": [
    Array(2).fill({ jsonrpc: "2.0", id: 1, method: "initialize", params: INITIALIZE }),
    {},
    400,
    -32600,
  ],
  "a client that reads no JSON": [PING, { accept: "text/event-stream" }, 406, -32000],
  "an unknown protocol version": [PING, { "mcp-protocol-version": "2001-01-01" }, 400, -32000],
  "a session with an impossible id": [PING, { "mcp-session-id": "a b" }, 404, -32000],
  "a session with a long id": [PING, { "mcp-session-id": "a".repeat(129) }, 404, -32000],
};

for (const [name, [body, headers, status, code]] of Object.entries(MISTAKES)) {
  test(`POST /mcp rejects ${name} with status ${status}`, async () => {
    const gateway = createMcpGateway();
    const response = await gateway.post(body, { headers });
    const [{ error, jsonrpc }] = await readMessages(response);
    assert.deepEqual([response.status, error.code, jsonrpc], [status, code, "2.0"], error.message);
    assert.equal(gateway.clock.waiting, 0);
  });
}

const PROTOCOL_ERRORS: [method: string, params: object, code: number][] = [
  ["tools/call", { name: "Nothing", arguments: {} }, -32602],
  ["tools/call", { name: "Task", arguments: {} }, -32602],
  ["tools/call", { name: "__proto__" }, -32602],
  ["tools/call", {}, -32602],
  ["resources/list", {}, -32601],
  ["unknown", {}, -32601],
];

for (const [method, params, code] of PROTOCOL_ERRORS) {
  test(`POST /mcp answers ${method} ${JSON.stringify(params)} with error ${code}`, async () => {
    const { id, error } = await createMcpGateway().ask(method, params);
    assert.deepEqual([id, error.code], [1, code]);
  });
}

test("POST /mcp answers a batch", async () => {
  const batch = [PING, { jsonrpc: "2.0", method: "notifications/initialized" }, { ...PING, id: 2 }];
  const messages = await readMessages(await createMcpGateway().post(batch));
  assert.deepEqual(messages.map(({ id, result }) => [id, result]), [[1, {}], [2, {}]]);
});

test("POST /mcp supports no subscriptions", async () => {
  const params = { _meta: ENVELOPE, notifications: { toolsListChanged: true } };
  const headers = { ...MODERN, "mcp-method": "subscriptions/listen" };
  const { error } = await createMcpGateway().ask("subscriptions/listen", params, { headers });
  assert.equal(error.code, -32601);
});

test("GET /mcp opens no stream, DELETE /mcp ends a session", async () => {
  const gateway = createMcpGateway();
  const session = await gateway.connect();
  const send = (method: string, headers: Record<string, string>) =>
    gateway.fetch(new Request("http://gateway.test/mcp", { method, headers }));
  const opened = await send("GET", session);
  assert.deepEqual([opened.status, opened.headers.get("allow")], [405, "POST, DELETE"]);
  assert.equal((await send("DELETE", { "x-api-key": ALICE })).status, 400);

  const other = { ...session, "x-api-key": BOB };
  assert.equal((await send("DELETE", other)).status, 204);
  assert.equal((await gateway.post(PING, { headers: session })).status, 200);
  assert.equal((await send("DELETE", session)).status, 204);
  for (const method of ["DELETE", "GET"]) {
    assert.equal((await send(method, session)).status, method === "GET" ? 405 : 404);
  }
  const [{ error }] = await readMessages(await gateway.post(PING, { headers: session }));
  assert.equal(error.message, "Cannot find the session: it has ended, initialize a new one");
});

test("POST /mcp keeps the state of tools for each key and session", async () => {
  const gateway = createMcpGateway();
  const noteWord = async (word: string, headers: Record<string, string>) =>
    (await gateway.call("Note", { word }, { headers })).result.content[0].text;
  const [one, two] = [await gateway.connect(), await gateway.connect()];
  assert.equal(await noteWord("a", one), "a");
  assert.equal(await noteWord("b", one), "a b");
  assert.equal(await noteWord("c", two), "c");
  assert.equal(await noteWord("d", { ...one, "x-api-key": BOB }), "d");
  // Without a session, the clients of a key share one state, unless they send `x-session-id`.
  assert.equal(await noteWord("e", {}), "e");
  assert.equal(await noteWord("f", {}), "e f");
  assert.equal(await noteWord("g", { "x-session-id": "mine" }), "g");
});

test("POST /mcp rejects other hosts, web pages and compressed bodies", async () => {
  const gateway = createMcpGateway({ host: "127.0.0.1" });
  const send = async (url: string, headers: Record<string, string>) => {
    const request = toPost(PING, { headers });
    const response = await gateway.fetch(new Request(url, request));
    await response.text();
    return response.status;
  };
  assert.equal(await send("http://localhost:4000/mcp", {}), 200);
  assert.equal(await send("http://evil.test/mcp", {}), 403);
  assert.equal(await send("http://localhost:4000/mcp", { origin: "http://evil.test" }), 403);
  assert.equal(await send("http://localhost:4000/mcp", { "content-type": "text/plain" }), 400);
  assert.equal(await send("http://localhost:4000/mcp", { "content-encoding": "gzip" }), 400);
});

test("/mcp is not found without TOOLS", async () => {
  const gateway = createTestGateway();
  for (const method of ["POST", "GET", "DELETE"]) {
    const headers = { "content-type": "application/json" };
    const body = method === "POST" ? "{}" : null;
    const response = await gateway.fetch(new Request("http://gateway.test/mcp", { method, headers, body }));
    const { error } = await response.json();
    assert.equal(response.status, 404);
    assert.equal(error.message, "Cannot serve MCP: the gateway has no tools, TOOLS enables them");
  }
});

test("POST /mcp logs each request and its failure", async () => {
  const gateway = createMcpGateway();
  const lines = await captureLog(async () => {
    await gateway.call("Echo", { word: "hidden" });
    await (await gateway.post("{")).text();
  });
  const records = lines.map((line) => JSON.parse(line));
  assert.deepEqual(records.map(({ path, client, status, outcome }) => [path, client, status, outcome]), [
    ["/mcp", "alice", 200, "finished"],
    ["/mcp", "alice", 400, "failed"],
  ]);
  assert.doesNotMatch(lines.join(), /hidden|key-of/);
});
