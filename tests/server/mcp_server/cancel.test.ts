import assert from "node:assert/strict";
import { test } from "node:test";
import { BOB, createMcpGateway, createSlowTool, ENVELOPE, readMessages } from "./mcp_gateway.ts";
import { echo } from "../../server_tools/scripted_model.ts";

const CALL = { jsonrpc: "2.0", id: 7, method: "tools/call", params: { name: "Slow", arguments: {} } };

function toCancel(requestId: unknown): object {
  return { jsonrpc: "2.0", method: "notifications/cancelled", params: { requestId } };
}

function createSlowGateway(options: Parameters<typeof createMcpGateway>[0] = {}) {
  const slow = createSlowTool();
  return { slow, gateway: createMcpGateway({ ...options, tools: [echo, slow.tool] }) };
}

test("POST /mcp cancels a call by a notification of its session, and ends its stream without an answer", async () => {
  const { gateway, slow } = createSlowGateway();
  const headers = await gateway.connect();
  const response = await gateway.post(CALL, { headers });
  await slow.running(1);
  const other = await gateway.connect();
  const wrong: [object, Record<string, string>][] = [
    [toCancel(8), headers],
    [toCancel("7"), headers],
    [toCancel(undefined), headers],
    [toCancel(7), other],
    [toCancel(7), { ...headers, "x-api-key": BOB }],
    [toCancel(7), {}],
  ];
  for (const [body, sent] of wrong) assert.equal((await gateway.post(body, { headers: sent })).status, 202);
  assert.equal(slow.cancelled(), 0);

  assert.equal((await gateway.post(toCancel(7), { headers })).status, 202);
  assert.deepEqual(await readMessages(response), []);
  assert.equal(slow.cancelled(), 1);
  assert.deepEqual(gateway.audit.map(({ outcome }) => outcome), ["cancelled"]);
  assert.equal(gateway.clock.waiting, 0);
});

test("POST /mcp cancels one call of a batch and answers the others", async () => {
  const { gateway, slow } = createSlowGateway();
  const headers = await gateway.connect();
  const response = await gateway.post([CALL, { ...CALL, id: 8 }], { headers });
  await slow.running(2);
  await gateway.post(toCancel(7), { headers });
  await gateway.post([toCancel(8)], { headers });
  const messages = await readMessages(response);
  assert.deepEqual(messages.map(({ id, error }) => [id, error.message]), [
    [7, "The client cancelled the call"],
    [8, "The client cancelled the call"],
  ]);
});

test("DELETE /mcp cancels the calls of its session", async () => {
  const { gateway, slow } = createSlowGateway();
  const headers = await gateway.connect();
  const response = await gateway.post(CALL, { headers });
  await slow.running(1);
  await gateway.fetch(new Request("http://gateway.test/mcp", { method: "DELETE", headers }));
  assert.deepEqual(await readMessages(response), []);
  assert.equal(slow.cancelled(), 1);
});

test("POST /mcp cancels a call when its client cancels the stream", async () => {
  const { gateway, slow } = createSlowGateway();
  const response = await gateway.post(CALL);
  await slow.running(1);
  // Bun does not detect that a client disconnects before the first bytes.
  const reader = response.body?.getReader();
  assert.equal(new TextDecoder().decode((await reader?.read())?.value), ": open\n\n");
  await reader?.cancel();
  await untilAudited(gateway);
  assert.equal(slow.cancelled(), 1);
  assert.equal(gateway.context.operations.counters.open, 0);
  assert.equal(gateway.clock.waiting, 0);
});

/** Checks that a response has no message, and that its call was cancelled once and ended. */
async function assertCancelled(
  response: Response,
  gateway: ReturnType<typeof createSlowGateway>["gateway"],
  slow: ReturnType<typeof createSlowGateway>["slow"],
): Promise<void> {
  assert.deepEqual(await readMessages(response), []);
  await untilAudited(gateway);
  assert.equal(slow.cancelled(), 1);
  assert.equal(gateway.context.operations.counters.open, 0);
}

test("POST /mcp cancels a call when the request's signal is aborted", async () => {
  const { gateway, slow } = createSlowGateway();
  const controller = new AbortController();
  const response = await gateway.post(CALL, { signal: controller.signal });
  await slow.running(1);
  controller.abort();
  await assertCancelled(response, gateway, slow);
});

test("POST /mcp cancels a call without a session when its client disconnects", async () => {
  const { gateway, slow } = createSlowGateway();
  const controller = new AbortController();
  const params = { ...CALL.params, _meta: ENVELOPE };
  const headers = { "mcp-protocol-version": "2026-07-28", "mcp-method": "tools/call", "mcp-name": "Slow" };
  const response = await gateway.post({ ...CALL, params }, { headers, signal: controller.signal });
  await slow.running(1);
  controller.abort();
  await assertCancelled(response, gateway, slow);
});

test("POST /mcp ends a call with an error after REQUEST_TIMEOUT", async () => {
  const { gateway, slow } = createSlowGateway({
    settings: { REQUEST_TIMEOUT: 5 },
    limits: { timeoutMs: 60_000 },
  });
  const response = await gateway.post(CALL);
  await slow.running(1);
  gateway.clock.advance(5000);
  const [{ id, error }] = await readMessages(response);
  assert.deepEqual([id, error.message], [7, "Cannot finish the answer: it took longer than 5 s"]);
  assert.equal(slow.cancelled(), 1);
});

test("POST /mcp ends a call with an error when the gateway shuts down", async () => {
  const { gateway, slow } = createSlowGateway({ settings: { SHUTDOWN_TIMEOUT: 3 } });
  const response = await gateway.post(CALL);
  await slow.running(1);
  const stopped = gateway.context.shutdown.start();
  gateway.clock.advance(3000);
  const [{ error }] = await readMessages(response);
  assert.equal(error.message, "Cannot finish the answer: the gateway is shutting down");
  await stopped;
});

test("POST /mcp runs at most 64 calls of a session at once", async () => {
  const { gateway, slow } = createSlowGateway({
    limits: { concurrency: 100 },
    settings: { LIMITS: { each: { concurrent: 100 } } },
  });
  const headers = await gateway.connect();
  const batch = await gateway.post(Array.from({ length: 64 }, (_, id) => ({ ...CALL, id })), { headers });
  await slow.running(64);
  const { result } = await gateway.call("Echo", { word: "a" }, { headers });
  assert.deepEqual([result.isError, result.content[0].text], [
    true,
    "Cannot run Echo: too many calls at once",
  ]);
  assert.equal((await gateway.call("Echo", { word: "a" })).result.isError, undefined);
  await batch.body?.cancel();
});

test("POST /mcp returns limits of keys and tools to the model", async () => {
  const settings = { LIMITS: { each: { requests: 2 } } };
  const gateway = createMcpGateway({ settings, limits: { callsPerMinute: 1 } });
  const results = [];
  for (const _ of [1, 2, 3]) results.push((await gateway.call("Echo", { word: "a" })).result);
  const texts = results.map(({ isError, content }) => isError ? content[0].text : "");
  assert.match(texts[1], /^Cannot run more than 1 tools a minute/);
  assert.match(texts[2], /requests/);
  assert.equal(texts[0], "");
});

test("POST /mcp frees the slots of a key when calls end or are rejected", async () => {
  const { gateway, slow } = createSlowGateway({ settings: { LIMITS: { each: { concurrent: 1 } } } });
  const response = await gateway.post(CALL);
  await slow.running(1);
  assert.equal((await gateway.call("Echo", { word: "a" })).result.isError, true);
  assert.equal(
    (await gateway.call("Echo", { word: "a" }, { headers: { "x-api-key": BOB } })).result.isError,
    undefined,
  );
  await response.body?.cancel();
  await untilAudited(gateway, 2);
  assert.equal((await gateway.call("Echo", { word: "a" })).result.isError, undefined);
});

test("POST /mcp keeps the slot of a key until the result is read", async () => {
  const gateway = createMcpGateway({ settings: { LIMITS: { each: { concurrent: 1 } } } });
  const params = { name: "Echo", arguments: { word: "a" } };
  const unread = await gateway.post({ ...CALL, params });
  await untilAudited(gateway);
  assert.equal((await gateway.call("Echo", { word: "b" })).result.isError, true);
  assert.equal((await readMessages(unread))[0].result.isError, undefined);
  assert.equal((await gateway.call("Echo", { word: "c" })).result.isError, undefined);
});

test("POST /mcp limits the requests of a key, with status 429", async () => {
  const gateway = createMcpGateway({ settings: { LIMITS: { each: { requests: 1 } } } });
  const PING = { jsonrpc: "2.0", id: 1, method: "ping" };
  for (let sent = 0; sent < 100; sent++) {
    assert.equal((await readMessages(await gateway.post(PING))).length, 1);
  }
  const response = await gateway.post(PING);
  const [{ error }] = await readMessages(response);
  assert.deepEqual([response.status, error.code], [429, -32000]);
  assert.ok(Number(response.headers.get("retry-after")) > 0);
});

/** Waits until this number of calls has ended. */
async function untilAudited({ audit }: ReturnType<typeof createMcpGateway>, count = 1): Promise<void> {
  while (audit.length < count) await new Promise((resolve) => setImmediate(resolve));
}
