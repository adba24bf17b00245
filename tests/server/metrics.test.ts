import assert from "node:assert/strict";
import { test } from "node:test";
import { createCounter, createHistogram } from "../../lib/observability/metrics/registry.ts";
import { createTestGateway, type TestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS, writeChunks } from "../kit/streams.ts";

const USAGE = {
  prompt_tokens: 10,
  completion_tokens: 5,
  cost: 0.25,
  prompt_tokens_details: { cached_tokens: 4 },
};
const PRICED = writeChunks({ choices: [{ delta: { content: "Hi" }, finish_reason: "stop" }] }, {
  choices: [],
  usage: USAGE,
});

/** Reads the metrics: each line that is a value, by its name and labels. Checks the format on the way. */
async function readMetrics(
  gateway: TestGateway,
  headers: Record<string, string> = {},
): Promise<Map<string, number>> {
  const response = await gateway.get("/metrics", headers);
  assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  const text = await response.text();
  assert.ok(text.endsWith("\n"));
  const values = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.trimEnd().split("\n")) {
    const [, kind, family, rest] = /^# (HELP|TYPE) ([a-z_]+) (.+)$/.exec(line) ?? [];
    if (kind !== undefined) {
      if (kind === "TYPE") {
        assert.ok(!types.has(family ?? ""), line);
        types.set(family ?? "", rest ?? "");
      }
      continue;
    }
    const match = /^([a-z_]+)(\{(?:[a-z]+="(?:[^"\\\n]|\\[\\"n])*",?)+\})? (\S+)$/.exec(line);
    assert.ok(match, line);
    const [, name = "", labels = "", value] = match;
    assert.ok(types.has(name) || types.get(name.replace(/_(bucket|sum|count)$/, "")) === "histogram", line);
    assert.ok(!values.has(name + labels), line);
    values.set(name + labels, Number(value));
  }
  return values;
}

test("GET /metrics counts requests, durations, tokens, cost, errors, retries, remedies and losses", async () => {
  const gateway = createTestGateway({
    upstream: [
      { body: PRICED },
      { status: 400, body: '{"error":{"message":"Unrecognized request argument supplied: stop"}}' },
      { body: PRICED },
      { status: 500, body: "{}" },
    ],
  });
  await (await gateway.post(minimalRequest("chat", { stream: true }))).text();
  await (await gateway.post(minimalRequest("chat", { stop_sequences: ["X"] }))).text();
  await (await gateway.post(minimalRequest("chat"))).text();
  await (await gateway.get("/none/such")).text();
  const values = await readMetrics(gateway);
  const model = "openrouter/vendor/model";
  const expected: Record<string, number> = {
    'gateway_requests_total{route="POST /v1/messages",status="200",outcome="finished"}': 2,
    'gateway_requests_total{route="POST /v1/messages",status="500",outcome="failed"}': 1,
    'gateway_requests_total{route="other",status="404",outcome="failed"}': 1,
    'gateway_failures_total{kind="upstream",expected="false"}': 1,
    'gateway_failures_total{kind="client",expected="false"}': 1,
    'gateway_request_duration_seconds_count{route="POST /v1/messages"}': 3,
    'gateway_request_duration_seconds_bucket{route="POST /v1/messages",le="0.005"}': 3,
    'gateway_request_duration_seconds_bucket{route="POST /v1/messages",le="+Inf"}': 3,
    [`gateway_first_event_seconds_count{model="${model}"}`]: 2,
    gateway_open_requests: 1,
    gateway_open_streams: 0,
    [`gateway_tokens_total{model="${model}",kind="input"}`]: 12,
    [`gateway_tokens_total{model="${model}",kind="output"}`]: 10,
    [`gateway_tokens_total{model="${model}",kind="cache_read"}`]: 8,
    [`gateway_cost_usd_total{model="${model}"}`]: 0.5,
    'gateway_upstream_errors_total{upstream="openrouter",status="400"}': 1,
    'gateway_upstream_errors_total{upstream="openrouter",status="500"}': 1,
    'gateway_remedies_total{change="drop_parameter"}': 1,
    'gateway_losses_total{action="dropped"}': 1,
  };
  for (const [name, value] of Object.entries(expected)) assert.equal(values.get(name), value, name);
});

test("GET /metrics counts open streams while they are read", async () => {
  const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat } });
  const response = await gateway.post(minimalRequest("chat", { stream: true }));
  assert.equal((await readMetrics(gateway)).get("gateway_open_streams"), 1);
  await response.text();
  assert.equal((await readMetrics(gateway)).get("gateway_open_streams"), 0);
  const left = await gateway.post(minimalRequest("chat", { stream: true }));
  await left.body?.cancel();
  assert.equal((await readMetrics(gateway)).get("gateway_open_streams"), 0);
});

test("GET /metrics shows no secret in the name of a model or a path", async () => {
  const gateway = createTestGateway({ upstream: { body: COMPLETE_STREAMS.chat } });
  for (const secret of ["sk-or-v1-0123456789abcdef", 'x"\\\n{} sk-or-v1-0123456789abcdef']) {
    await (await gateway.post(minimalRequest("chat", { model: secret }))).text();
    await (await gateway.post(minimalRequest("chat", { model: `vendor/${secret}` }))).text();
    await (await gateway.get(`/v1/${encodeURIComponent(secret)}`)).text();
  }
  const names = [...(await readMetrics(gateway)).keys()];
  assert.ok(names.some((name) => name.includes("[redacted]")));
  assert.equal(names.some((name) => name.includes("0123456789abcdef")), false);
});

test("createCounter() and createHistogram() count combinations beyond the first 500 together", () => {
  const counter = createCounter("requests_total", "Requests", ["model", "kind"]);
  const histogram = createHistogram("seconds", "Time", { labels: ["model"], bounds: [1, 2] });
  for (let nth = 0; nth < 600; nth++) {
    counter.add([`model ${nth}`, "input"]);
    histogram.observe([`model ${nth}`], 1.5);
  }
  for (const family of [counter, histogram]) assert.equal(family.series().length, 501);
  assert.deepEqual(counter.series().at(-1), { labels: { model: "other", kind: "other" }, value: 100 });
  assert.deepEqual(histogram.series().at(-1), { labels: { model: "other" }, counts: [0, 100, 0], sum: 150 });
});

test("GET /metrics needs the admin key, unless no key is configured", async () => {
  const [admin, client] = ["admin-0123456789abcdef", "client-0123456789abcdef"];
  const gateway = createTestGateway({ settings: { GATEWAY_API_KEYS: client, GATEWAY_ADMIN_KEY: admin } });
  for (const [key, status] of [[client, 403], [admin, 200], ["other", 401]] as const) {
    const response = await gateway.get("/metrics", { authorization: `Bearer ${key}` });
    await response.text();
    assert.equal(response.status, status);
  }
  assert.equal(
    (await createTestGateway({ settings: { GATEWAY_ADMIN_KEY: admin } }).get("/metrics")).status,
    403,
  );
  assert.equal((await createTestGateway().get("/metrics")).status, 200);
});

test("GET /status and GET /metrics count failures by kind, and rejections by limits as expected", async () => {
  const gateway = createTestGateway({
    settings: { LIMITS: { each: { requests: 1 } } },
    upstream: { body: COMPLETE_STREAMS.chat },
  });
  for (let nth = 0; nth < 3; nth++) await (await gateway.post(minimalRequest("chat"))).text();
  const { requests } = await (await gateway.get("/status")).json();
  assert.deepEqual(requests, {
    total: 4,
    failed: 2,
    expected: 2,
    open: 0,
    failures: { limit: 2, access: 0, client: 0, upstream: 0, store: 0, gateway: 0 },
  });
  const values = await readMetrics(gateway);
  assert.equal(values.get('gateway_failures_total{kind="limit",expected="true"}'), 2);
});
