import assert from "node:assert/strict";
import { test } from "node:test";
import worker from "../../lib/worker.ts";

const HEALTH = "http://gateway/health";

/** Invalid bindings, and the beginnings of the lines that report them. */
const WRONG: [bindings: Record<string, string>, lines: string[]][] = [
  [{ PORT: "x", VALIDATION: "y" }, [
    'Cannot use PORT "x" (settings): ',
    'Cannot use VALIDATION "y" (settings): ',
  ]],
  [{ GATEWAY_API_KEYS: "" }, ["Cannot use GATEWAY_API_KEYS (0 characters) (settings): key 1 is empty"]],
  [{ OPENROUTER_API_KEY: "sk-or-x" }, [
    "Cannot listen on an address that the runtime chooses without keys: ",
  ]],
  [{ MCP_CONFIG: "/no/such.json", GATEWAY_API_KEYS: "alice:k" }, ['Cannot use MCP_CONFIG "/no/such.json": ']],
  [{ MCP_CONFIG: "/no/such.json" }, ["Cannot listen on an address that the runtime chooses without keys: "]],
  [{ UPSTREAMS: '{"local": {"url": "http://h/v1"}}' }, [
    "Cannot listen on an address that the runtime chooses without keys: ",
  ]],
];

test("worker.fetch() logs each mistake in its bindings, and serves once they are valid", async (context) => {
  const log = context.mock.method(console, "error", () => {});
  for (const [bindings, lines] of WRONG) {
    log.mock.resetCalls();
    const refused = await worker.fetch(new Request(HEALTH), { LOG_LEVEL: "off", ...bindings });
    assert.deepEqual([refused.status, refused.headers.get("x-should-retry")], [500, "false"]);
    assert.deepEqual(await refused.json(), {
      type: "error",
      error: {
        type: "api_error",
        message: "Cannot serve requests: the gateway's settings are invalid, its log lists each mistake",
      },
      request_id: refused.headers.get("request-id"),
    });
    const printed = log.mock.calls.map(({ arguments: [line] }) => String(line));
    assert.deepEqual(printed.map((line, at) => line.slice(0, lines[at]?.length)), lines);
  }
  const bindings = {
    LOG_LEVEL: "off",
    OPENROUTER_API_KEY: "k",
    OPEN_ACCESS: "on",
    PORT: "",
    HOST: 1,
    OTHER: {},
  };
  assert.equal((await worker.fetch(new Request(HEALTH), bindings)).status, 200);
});

test("worker.fetch() ignores other arguments of the runtime", async () => {
  for (const other of [undefined, null, "text", { remoteAddr: { hostname: "127.0.0.1" } }]) {
    assert.equal((await worker.fetch(new Request(HEALTH), other)).status, 200);
  }
});
