import assert from "node:assert/strict";
import { test } from "node:test";
import {
  bucketOf,
  FIRST_EVENT_SECONDS,
  mergeCounts,
  percentile,
} from "../../lib/observability/metrics/histogram_counts.ts";
import { createErrorGroups, type SeenError } from "../../lib/observability/traffic/error_groups.ts";
import { createMinutes } from "../../lib/observability/traffic/minutes.ts";
import { createTraffic } from "../../lib/observability/traffic/traffic.ts";
import { createTestGateway } from "../kit/gateway.ts";

const MINUTE_MS = 60_000;
const START = Date.UTC(2026, 0, 1);

function start(id: string, startedAt = START) {
  return {
    id,
    startedAt,
    client: "web",
    session: undefined,
    program: undefined,
    correlationId: id,
    traceId: undefined,
  };
}

test("percentile() of merged counts is that of all values, within a bucket", () => {
  const values = Array.from({ length: 300 }, (_, at) => 0.06 + (at * 37 % 300) / 10);
  const parts = [values.slice(0, 50), values.slice(50, 60), values.slice(60)];
  const toCounts = (some: readonly number[]) => {
    const counts = new Array<number>(FIRST_EVENT_SECONDS.length + 1).fill(0);
    for (const value of some) counts[bucketOf(FIRST_EVENT_SECONDS, value)]! += 1;
    return counts;
  };
  const merged = mergeCounts(parts.map(toCounts), FIRST_EVENT_SECONDS.length + 1);
  assert.deepEqual(merged, toCounts(values));
  const sorted = values.toSorted((one, other) => one - other);
  for (const share of [0.05, 0.5, 0.95]) {
    const exact = sorted[Math.ceil(share * sorted.length) - 1] ?? 0;
    const found = percentile(merged, share, FIRST_EVENT_SECONDS) ?? 0;
    assert.equal(bucketOf(FIRST_EVENT_SECONDS, found), bucketOf(FIRST_EVENT_SECONDS, exact));
  }
  assert.equal(percentile([0, 0], 0.5, [1]), undefined);
  assert.equal(percentile([0, 3], 0.5, [1]), 1);
});

test("Minutes.list() has every minute, with those that ran on", () => {
  const minutes = createMinutes();
  const { begin, end } = minutes;
  begin(START, 1);
  begin(START + 1, 2);
  const traffic = createTraffic();
  const seen = traffic.begin(start("req_1"));
  end({ ...seen, state: "failed", outputTokens: 5, firstEventAt: START + 2000 }, START + 3 * MINUTE_MS, 1);
  const listed = minutes.list(START + 4 * MINUTE_MS, 6);
  assert.deepEqual(listed.map(({ running }) => running), [0, 2, 2, 2, 2, 1]);
  assert.deepEqual(listed.map(({ failed }) => failed), [0, 0, 0, 0, 1, 0]);
  assert.deepEqual(listed.map(({ unpriced }) => unpriced), [0, 0, 0, 0, 1, 0]);
  assert.equal(listed[4]?.firstEvents[bucketOf(FIRST_EVENT_SECONDS, 2)], 1);
});

test("Traffic keeps the newest 2,000 messages, and those that run before others", () => {
  const traffic = createTraffic();
  const first = traffic.begin(start("req_first"));
  for (let nth = 0; nth < 2500; nth++) {
    const seen = traffic.begin(start(`req_${nth}`, START + nth));
    seen.state = "finished";
    traffic.end(seen, START + nth);
  }
  const kept = traffic.newest(START + 2500);
  assert.equal(kept.length, 2001);
  assert.equal(kept[0]?.id, "req_2499");
  assert.equal(kept.at(-1), first);
  assert.equal(traffic.running, 1);
  assert.deepEqual([traffic.find("req_first"), traffic.find("req_0")], [first, undefined]);
  assert.equal(traffic.newest(START + 25 * 3_600_000).length, 1, "an ended message is shown for 24 hours");
  traffic.end(first, START + 2500);
  assert.deepEqual([traffic.find("req_first"), traffic.newest(START + 2500).length], [undefined, 2000]);
});

function toError(fields: Partial<SeenError> = {}): SeenError {
  return {
    id: "req_1",
    client: "web",
    failure: "client",
    type: "invalid_request_error",
    status: 400,
    source: "gateway",
    ...fields,
  };
}

test("ErrorGroups groups by type, source and message without names, paths and numbers", () => {
  const groups = createErrorGroups();
  groups.add(toError({ message: 'Cannot use model "a": no alias has it' }), START);
  groups.add(
    toError({ id: "req_2", client: "ci", message: 'Cannot use model "b\\"c": no alias has it' }),
    START + 1,
  );
  groups.add(toError({ message: "messages.3.content: Field required" }), START + 2);
  groups.add(toError({ message: "messages.14.content: Field required" }), START + 3);
  groups.add(toError({ message: 'a quote that does not end "sk-or-v1-0123456789' }), START + 4);
  groups.add(toError({ message: 'Cannot GET /one: no such endpoint; the nearest is "GET /a"' }), START + 5);
  groups.add(toError({ message: 'Cannot GET /two/3: no such endpoint; the nearest is "GET /b"' }), START + 6);
  const [paths, ...listed] = groups.list();
  assert.deepEqual(
    [paths?.text, paths?.count],
    ['Cannot GET /…: no such endpoint; the nearest is "…"', 2],
  );
  assert.deepEqual(listed.map(({ text, count }) => [text, count]), [
    ['a quote that does not end "…"', 1],
    ["messages.N.content: Field required", 2],
    ['Cannot use model "…": no alias has it', 2],
  ]);
  assert.deepEqual(listed[2]?.clients, ["web", "ci"]);
  assert.deepEqual(listed[2]?.requests.map(({ id }) => id), ["req_2", "req_1"]);
});

test("ErrorGroups reopens a resolved group when it happens again", () => {
  const groups = createErrorGroups();
  const { id } = groups.add(toError(), START);
  assert.equal(groups.countUnresolved(), 1);
  assert.equal(groups.resolve(id, START + 1), true);
  assert.deepEqual([groups.countUnresolved(), groups.find(id)?.reopened], [0, false]);
  groups.add(toError(), START + 2);
  assert.deepEqual([groups.countUnresolved(), groups.find(id)?.reopened], [1, true]);
  assert.equal(groups.resolve("unknown", START), false);
});

test("ErrorGroups accepts older errors, such as those of files, by their time", () => {
  const groups = createErrorGroups();
  const now = groups.add(toError({ id: "req_9" }), START);
  for (let nth = 1; nth <= 8; nth++) {
    groups.add(toError({ id: `req_${9 - nth}`, client: "ci" }), START - nth * 3_600_000);
  }
  for (let nth = 0; nth < 250; nth++) groups.add(toError({ type: `type ${nth}` }), START - 1 - nth);
  assert.equal(groups.list()[0], now);
  assert.equal(groups.list().length, 200);
  assert.deepEqual(now.requests.map(({ id }) => id), ["req_9", "req_8", "req_7", "req_6", "req_5"]);
  assert.deepEqual([now.firstAt, now.lastAt], [START - 8 * 3_600_000, START]);
});

test("ErrorGroups restores the mark of a group that has not happened again since", () => {
  const groups = createErrorGroups();
  const { id } = groups.add(toError(), START);
  groups.restore("unknown", START);
  groups.restore(id, START + 1);
  assert.deepEqual([groups.find(id)?.resolvedAt, groups.find(id)?.reopened], [START + 1, false]);
  groups.resolve(id, undefined);
  groups.restore(id, START - 1);
  assert.deepEqual([groups.find(id)?.resolvedAt, groups.find(id)?.reopened], [undefined, true]);
});

test("ErrorGroups counts rejections by limits as expected", () => {
  const groups = createErrorGroups();
  groups.add(toError({ failure: "limit", type: "rate_limit_error", status: 429 }), START);
  assert.equal(groups.countUnresolved(), 0);
});

test("ErrorGroups keeps 200 groups, and drops the one whose last error is the oldest", () => {
  const groups = createErrorGroups();
  const first = groups.add(toError({ type: "first" }), START);
  for (let nth = 0; nth < 250; nth++) {
    groups.add(toError({ type: `type ${nth}` }), START + nth);
    if (nth === 150) groups.add(toError({ type: "first" }), START + nth);
  }
  assert.equal(groups.list().length, 200);
  assert.equal(groups.find(first.id)?.count, 2);
});

test("rejections by limits are errors of a separate kind for the page, /metrics and /status", async () => {
  const gateway = createTestGateway({ settings: { LIMITS: { each: { requests: 1 } } } });
  const message = { model: "demo/echo", max_tokens: 9, messages: [{ role: "user", content: "Hello" }] };
  const statuses: number[] = [];
  for (let nth = 0; nth < 3; nth++) statuses.push((await gateway.post(message)).status);
  assert.deepEqual(statuses, [200, 429, 429]);
  const page = await (await gateway.get("/console/")).text();
  assert.match(page, /3 in the last hour, none failed; 2 refused by limits/);
  const errors = await (await gateway.get("/console/errors")).text();
  assert.match(errors, /<span class="tag">expected<\/span>/);
  assert.match(errors, /none unresolved/);
  const { requests } = await (await gateway.get("/status")).json();
  assert.deepEqual(requests.failures, { limit: 2, access: 0, client: 0, upstream: 0, store: 0, gateway: 0 });
  assert.match(
    await (await gateway.get("/metrics")).text(),
    /^gateway_failures_total\{kind="limit",expected="true"\} 2$/m,
  );
});
