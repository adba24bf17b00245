import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import type { Settings } from "../../lib/config/settings.ts";
import { FakeClock } from "../kit/clock.ts";
import { createTestGateway } from "../kit/gateway.ts";

const KEY = "Zq7k9mXWv0aB";

/** A network whose answers a test chooses by path; records the URLs. */
function createNetwork(answer: (path: string) => Response | Promise<Response>) {
  const urls: string[] = [];
  const network: typeof fetch = async (input) => {
    const url = new URL(String(input));
    urls.push(url.href);
    return await answer(url.pathname);
  };
  return { urls, network };
}

const ok = () => Response.json({ data: [] });
const failed = (status: number) => Response.json({ error: { message: `No ${KEY}` } }, { status });
const missing = (path: string) => path.endsWith("/key") ? failed(404) : ok();

/** States of the upstream, and the result of the check. */
const STATES: [
  name: string,
  answer: (path: string) => Response,
  status: string,
  upstream: object,
  calls: number,
][] = [
  ["healthy", ok, "healthy", { status: "healthy", key: "valid" }, 1],
  ["without a check of the key", missing, "healthy", { status: "healthy", key: "valid" }, 2],
  ["that rejects the key", () => failed(401), "degraded", {
    status: "key_rejected",
    key: "rejected",
    error: "authentication_error",
  }, 1],
  ["that fails", () => failed(503), "degraded", {
    status: "unreachable",
    key: "unknown",
    error: "overloaded_error",
  }, 1],
  ["that limits", () => failed(429), "healthy", { status: "healthy", key: "unknown" }, 1],
  [
    "that cannot be reached",
    () => {
      throw new TypeError("fetch failed");
    },
    "degraded",
    { status: "unreachable", key: "unknown", error: "api_error" },
    1,
  ],
];

for (const [name, answer, status, expected, calls] of STATES) {
  test(`GET /health/detailed is ${status} with an upstream ${name}, and checks it once for 30 requests`, async () => {
    const { urls, network } = createNetwork(answer);
    const gateway = createTestGateway({ fetch: network, settings: { OPENROUTER_API_KEY: KEY } });
    const texts = await Promise.all(
      Array.from({ length: 30 }, async () => await (await gateway.get("/health/detailed")).text()),
    );
    assert.equal(urls.length, calls);
    const health = JSON.parse(texts[0] ?? "");
    const { checked_at, latency_ms, ...upstream } = health.services.upstreams.openrouter;
    assert.deepEqual([health.status, upstream], [status, expected]);
    assert.deepEqual([checked_at, latency_ms], ["2026-01-01T00:00:00.000Z", 0]);
    assert.deepEqual(health.services.upstreams.demo, { status: "unchecked", key: "unknown" });
    assert.equal(texts.join().includes(KEY), false);
    gateway.clock.advance(30_000);
    await (await gateway.get("/health/detailed")).text();
    assert.equal(urls.length, calls * 2);
  });
}

test("GET /health/detailed does not wait for an upstream longer than 5 s", async () => {
  const clock = new FakeClock();
  const { network } = createNetwork(() => new Promise<Response>(() => {}));
  const gateway = createTestGateway({ fetch: network, clock });
  const answer = gateway.get("/health/detailed");
  for (let turn = 0; turn < 20; turn++) await setImmediate();
  clock.advance(5000);
  const health = await (await answer).json();
  assert.equal(health.services.upstreams.openrouter.error, "timeout_error");
});

test("GET /health/detailed checks again after the clock was set back", async () => {
  const { urls, network } = createNetwork(ok);
  const clock = new FakeClock();
  const gateway = createTestGateway({ fetch: network, clock });
  await (await gateway.get("/health/detailed")).text();
  const before = urls.length;
  clock.advance(-3_600_000);
  await (await gateway.get("/health/detailed")).text();
  assert.equal(urls.length, before * 2);
});

test("GET /health/detailed checks at most 8 upstreams", async () => {
  const UPSTREAMS = Object.fromEntries(
    Array.from(
      { length: 12 },
      (_, nth) => [`u${nth}`, { url: `https://u${nth}.test/v1`, key: `key-of-u${nth}` }],
    ),
  );
  const { urls, network } = createNetwork(ok);
  const health =
    await (await createTestGateway({ fetch: network, settings: { UPSTREAMS } }).get("/health/detailed"))
      .json();
  assert.equal(urls.length, 8);
  assert.equal(health.services.upstreams.u11.status, "unchecked");
});

test("GET /health/detailed reports a gateway without a key, and its storage", async () => {
  const { network } = createNetwork(ok);
  const settings: Settings = { ENVIRONMENT: "testing", OPENROUTER_API_KEY: undefined };
  const health = await (await createTestGateway({ fetch: network, settings }).get("/health/detailed")).json();
  assert.equal(health.services.upstreams.openrouter.key, "not_set");
  assert.equal(health.configuration.api_key_configured, false);
  assert.deepEqual(health.services.storage, {
    errors: { storage: "memory" },
    bodies: { status: "off" },
    recordings: { status: "off" },
    state: "memory",
    data: { status: "off" },
  });
  assert.deepEqual(health.services.mcp_servers, {});
  assert.deepEqual(health.services.tools, { status: "disabled", groups: [] });
});

test("GET /health sends no request to an upstream", async () => {
  const { urls, network } = createNetwork(ok);
  const gateway = createTestGateway({ fetch: network });
  for (let nth = 0; nth < 30; nth++) await (await gateway.get("/health")).text();
  assert.equal(urls.length, 0);
});

test("GET /status has the uptime, the memory and the runtime", async () => {
  const status = await (await createTestGateway().get("/status")).json();
  assert.ok(status.memory_usage.rss_mb > 0);
  assert.ok(["node", "deno", "bun"].includes(status.runtime.name));
  assert.equal(status.uptime_seconds, 0);
});
