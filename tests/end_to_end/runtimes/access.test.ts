import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientRequest, request, type RequestOptions } from "node:http";
import { connect } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { launch, OWN_PROGRAMS } from "./launch.ts";

const KEY = "alice-0123456789abcdef";
const ADMIN_KEY = "admin-0123456789abcdef";
const HELLO = JSON.stringify({
  model: "demo/echo",
  max_tokens: 16,
  messages: [{ role: "user", content: "Hello" }],
});
const JSON_TYPE = { "content-type": "application/json" };
const MINE = { ...JSON_TYPE, "x-api-key": KEY };

interface Probe {
  method?: string;
  path?: string;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** Requests, and the status and error type of the response. */
const PROBES: [what: string, probe: Probe, status: number, type?: string][] = [
  ["a key", { headers: MINE }, 200],
  ["a Bearer token", { headers: { ...JSON_TYPE, authorization: `Bearer ${KEY}` } }, 200],
  ["the admin key", { headers: { ...JSON_TYPE, "x-api-key": ADMIN_KEY } }, 200],
  ["no key", { headers: JSON_TYPE }, 401, "authentication_error"],
  ["another key", { headers: { ...JSON_TYPE, "x-api-key": `${KEY}0` } }, 401, "authentication_error"],
  ["no key, to an unknown route", { path: "/x", headers: JSON_TYPE }, 401, "authentication_error"],
  ["no key, to the health check", { method: "GET", path: "/health" }, 200],
  ["no key, to HEAD /", { method: "HEAD", path: "/" }, 200],
  ["no key, to HEAD /api/hello", { method: "HEAD", path: "/api/hello" }, 200],
  ["no key, to HEAD /status", { method: "HEAD", path: "/status" }, 401],
  ["another host", { headers: { ...MINE, host: "evil.test" } }, 403, "permission_error"],
  ["localhost for a host", { headers: { ...MINE, host: "localhost:1" } }, 200],
  ["[::1] for a host", { headers: { ...MINE, host: "[::1]:1" } }, 200],
  ["the page of an attacker", { headers: { ...MINE, origin: "https://evil.test" } }, 403, "permission_error"],
  ["a page without an origin", { headers: { ...MINE, origin: "null" } }, 403, "permission_error"],
  ["an allowed page", { headers: { ...MINE, origin: "https://chat.test" } }, 200],
  ["a form", { headers: { ...MINE, "content-type": "text/plain" } }, 400, "invalid_request_error"],
  ["no type", { headers: { "x-api-key": KEY } }, 400, "invalid_request_error"],
  [
    "a compressed body",
    { headers: { ...MINE, "content-encoding": "gzip" }, body: gzipSync(HELLO) },
    400,
    "invalid_request_error",
  ],
  [
    "invalid UTF-8",
    { headers: MINE, body: new Uint8Array([0x22, 0xff, 0x22]) },
    400,
    "invalid_request_error",
  ],
  ["a deep body", { headers: MINE, body: "[".repeat(100_000) }, 400, "invalid_request_error"],
  ["an infinite number", { headers: MINE, body: '{"a":1e999}' }, 400, "invalid_request_error"],
  ["33 MiB", { headers: MINE, body: new Uint8Array(33 << 20).fill(32) }, 413, "request_too_large"],
  [
    "33 MiB, in pieces",
    { headers: { ...MINE, "transfer-encoding": "chunked" }, body: new Uint8Array(33 << 20).fill(32) },
    413,
    "request_too_large",
  ],
];

for (const runtime of OWN_PROGRAMS) {
  test(`mod.ts on ${runtime.name} accepts clients with a valid key only`, {
    skip: runtime.missing,
    timeout: 60_000,
  }, async (context) => {
    const args = ["--port", "0", "--gateway-keys", `alice:${KEY}`, "--admin-key", ADMIN_KEY];
    const program = launch(runtime, [...args, "--cors-origins", "https://chat.test"]);
    const port = Number(await program.find(/^ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:(\d+)$/m));
    try {
      for (const [what, probe, status, type] of PROBES) {
        await context.test(what, async () => {
          const answer = await sendProbe(port, probe);
          assert.equal(answer.status, status, answer.text);
          if (type === undefined) return;
          const { type: outer, error, request_id } = JSON.parse(answer.text);
          assert.deepEqual([outer, error.type, request_id], ["error", type, answer.headers["request-id"]]);
        });
      }
      await context.test("a preflight", async () => {
        const headers = { origin: "https://chat.test", "access-control-request-method": "POST" };
        const { status, headers: allowed } = await sendProbe(port, { method: "OPTIONS", headers });
        assert.deepEqual([status, allowed["access-control-allow-origin"]], [204, "https://chat.test"]);
      });
      for (const [bytes, status] of MALFORMED) {
        await context.test(JSON.stringify(bytes.slice(0, 80)), async () => {
          assert.match(await exchange(port, bytes), status);
        });
      }
      for (const path of DETOURS) {
        await context.test(`no key, by ${path}`, async () => {
          for (const method of ["GET", "HEAD"]) {
            const request = `${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
            assert.match(
              await exchange(port, request),
              method === "GET" ? HEALTH_OR_REJECTED : HEAD_OR_REJECTED,
            );
          }
        });
      }
      assert.equal((await sendProbe(port, { headers: MINE })).status, 200, "the program still answers");
    } finally {
      program.kill("SIGTERM");
    }
    const { stdout, stderr } = await program.ended;
    assert.match(stdout, / without a key; model demo\/echo needs no key$/m);
    for (const key of [KEY, ADMIN_KEY]) assert.equal(`${stdout}${stderr}`.includes(key.slice(-10)), false);
    const lines = stderr.split("\n").filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
    assert.doesNotMatch(stderr, /^ +at |\bError\b/m);
    const clients = new Set<unknown>(lines.map(({ client }) => client));
    assert.deepEqual([...clients].filter((client) => client !== undefined).sort(), [
      "admin",
      "alice",
      "nobody",
    ]);
  });

  const refusals: [args: string[], settings: Record<string, string>, message: RegExp][] = [
    [
      ["--host", "0.0.0.0"],
      {},
      /^Cannot listen on "0\.0\.0\.0" without keys: .*GATEWAY_API_KEYS.*OPEN_ACCESS=on.*\n$/,
    ],
    [["--host", "::"], {}, /^Cannot listen on "::" without keys: /],
    [["--host", "0.0.0.0", "--admin-key", ADMIN_KEY], {}, /^Cannot listen on "0\.0\.0\.0" without keys: /],
    [
      ["--gateway-keys="],
      {},
      /^Cannot use GATEWAY_API_KEYS \(0 characters\) \(--gateway-keys\): key 1 is empty\n$/,
    ],
    [
      ["--gateway-keys", "a:,b:k\u00e9y"],
      {},
      /: key 1 is empty\n.*: key 2 must be printable ASCII characters without spaces\n$/,
    ],
    ...(runtime.readsEnv
      ? [
        [
          [],
          { GATEWAY_API_KEYS: "" },
          /^Cannot use GATEWAY_API_KEYS \(0 characters\) \(environment\)/,
        ] satisfies [
          string[],
          Record<string, string>,
          RegExp,
        ],
      ]
      : []),
  ];
  for (const [args, settings, message] of refusals) {
    const given = `${args.join(" ")} ${JSON.stringify(settings)}`;
    test(
      `mod.ts on ${runtime.name} does not start with ${given}`,
      { skip: runtime.missing, timeout: 30_000 },
      async () => {
        for (const check of [[], ["--check"]]) {
          const { status, stdout, stderr } = await launch(runtime, [...args, "--port=0", ...check], settings)
            .ended;
          assert.equal(status, 2);
          assert.match(stderr, message);
          assert.equal(stdout === "", check.length === 0);
        }
      },
    );
  }

  test(`mod.ts on ${runtime.name} serves every client with OPEN_ACCESS`, {
    skip: runtime.missing,
    timeout: 30_000,
  }, async () => {
    const program = launch(runtime, ["--port=0", "--host=0.0.0.0", "--open-access=on", "--log-level=off"]);
    const port = Number(await program.find(/^ANTHROPIC_BASE_URL=http:\/\/127\.0\.0\.1:(\d+)$/m));
    const { status, text } = await sendProbe(port, { headers: { ...JSON_TYPE, host: "gateway.test" } });
    program.kill("SIGTERM");
    await program.ended;
    assert.equal(status, 200, text);
  });
}

/** Paths that look like a route that needs a key but lead to one that needs none, or the opposite. */
const DETOURS = [
  "/v1/models/../../health",
  "/v1/models/x/../../../health",
  "/v1/models/%2e%2e/%2e%2e/health",
  "/v1/models/.%2E/%2e./health",
  "/v1/models/..\\..\\health",
  "/status/../health",
  "/tool-metrics/%2e%2e/health",
  "/v1/models/..%2f..%2fhealth",
  "/health/../v1/models",
  "/health/%2e%2e/status",
  "/health\\..\\status",
  "/%68ealth",
  "//health",
  "/health/",
  "/health;/v1/models",
  "http://localhost/v1/models/../../health",
];

/** The health check, if the server passes the normal form of a path; otherwise a rejection. */
const HEALTH_OR_REJECTED = /^HTTP\/1\.1 (40[01] |200 [^]*\r\n\r\n[^]*"status":"healthy")/;
const HEAD_OR_REJECTED = /^HTTP\/1\.1 (40[01]|200) /;

/** Rejected by the gateway or by the server; some servers only close the connection. */
const REJECTED = /^(HTTP\/1\.[01] 4\d\d |$)/;
/** Any response but a failure. */
const ANY_ANSWER = /^(HTTP\/1\.[01] [24]\d\d |$)/;

/** Bytes that no HTTP client sends, and the responses that are allowed. */
const MALFORMED: [bytes: string, status: RegExp][] = [
  ["GET /health HTTP/1.1\r\n\r\n", ANY_ANSWER],
  ["GET /health HTTP/1.0\r\n\r\n", ANY_ANSWER],
  ["GET http://evil.test/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", ANY_ANSWER],
  ["GET http://localhost/health HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n", REJECTED],
  ["GET /health HTTP/1.1\r\nHost: a b\r\nConnection: close\r\n\r\n", REJECTED],
  ["GET /health HTTP/1.1\r\nHost: evil.test\r\nHost: localhost\r\nConnection: close\r\n\r\n", REJECTED],
  ["GET /health HTTP/1.1\r\nHost: localhost@evil.test\r\nConnection: close\r\n\r\n", REJECTED],
  ["GET /health HTTP/1.1\r\nHost: \u0001\r\nConnection: close\r\n\r\n", REJECTED],
  [
    "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\nConnection: close\r\n\r\n",
    REJECTED,
  ],
  [`GET /health HTTP/1.1\r\nX: ${"x".repeat(2_000_000)}\r\nConnection: close\r\n\r\n`, REJECTED],
  ["\u0016\u0003\u0001 not HTTP at all\r\n\r\n", REJECTED],
];

async function sendProbe(
  port: number,
  { method = "POST", path = "/v1/messages", headers = {}, body = HELLO }: Probe,
) {
  const options: RequestOptions = { port, host: "127.0.0.1", method, path, agent: false };
  const client = request({ ...options, headers });
  const answered = once(client, "response");
  client.on("error", () => {}); // the server closes the connection while a large body is sent
  send(client, method === "POST" ? body : "");
  const [response] = await answered;
  let text = "";
  for await (const piece of response.setEncoding("utf8")) text += piece;
  return { status: response.statusCode, headers: response.headers, text };
}

function send(client: ClientRequest, body: string | Uint8Array): void {
  if (body.length > 0) client.write(body);
  client.end();
}

/** Sends bytes over a new connection, and returns the bytes received until it is closed. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.setEncoding("utf8").on("data", (piece: string) => void (text += piece)).on("error", () => {});
  socket.end(bytes);
  await new Promise((resolve) => socket.on("close", resolve));
  return text;
}
