import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createCounters } from "../../lib/observability/counters.ts";
import { createGatewayMetrics } from "../../lib/observability/metrics/gateway_metrics.ts";
import type { Family } from "../../lib/observability/metrics/registry.ts";
import { readStateFamilies } from "../../lib/server/operator/state_metrics.ts";
import { ROUTES } from "../../lib/server/routes.ts";
import { toRouteName } from "../../lib/server/routing/route_name.ts";
import { createTargetMetrics } from "../../lib/server/operator/target_metrics.ts";
import { createTargetMemory } from "../../lib/upstreams/targets/target_health.ts";
import { FakeClock } from "../kit/clock.ts";
import { isJson, text } from "../kit/json.ts";
import { ROOT } from "./pages.ts";

const read = (path: string) => readFileSync(ROOT + path, "utf8");

/** Returns all families of `GET /metrics`, by their names. */
async function readFamilies(): Promise<Map<string, Family>> {
  const { families } = createGatewayMetrics(createCounters(0));
  const targets = createTargetMetrics(createTargetMemory(), new FakeClock());
  const all = [...families, ...targets, ...await readStateFamilies({ mcpServers: [] })];
  return new Map(all.map((family) => [family.name, family]));
}

/** A query of Prometheus, and the labels that its legend names. */
interface Query {
  query: string;
  legend: string[];
}

/** Returns the queries of the dashboard. */
function dashboardQueries(): Query[] {
  const found: Query[] = [];
  const walk = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(walk);
    if (!isJson(value)) return;
    const query = value.expr ?? value.definition;
    if (typeof query === "string") {
      found.push({ query, legend: text(value.legendFormat).match(/(?<=\{\{)\w+/g) ?? [] });
    }
    Object.values(value).forEach(walk);
  };
  walk(JSON.parse(read("docs/deploy/grafana.json")));
  return found;
}

/** Returns the queries of the rules; annotations have the labels of their rule. */
function alertQueries(): Query[] {
  return read("docs/deploy/alerts.yaml").split("- alert:").slice(1).map((rule) => {
    const [query = "", rest = ""] = rule.split("annotations:");
    return { query: query.split("expr:")[1] ?? "", legend: rest.match(/(?<=\$labels\.)\w+/g) ?? [] };
  });
}

/** Labels that Prometheus adds. */
const TARGET_LABELS = ["instance", "job"];

/** Returns the mistakes in a query: metrics and labels that do not exist. */
function findMistakes({ query, legend }: Query, families: ReadonlyMap<string, Family>): string[] {
  const mistakes: string[] = [];
  const labels = new Set(TARGET_LABELS);
  for (const [, name = "", matchers = ""] of query.matchAll(/\b(gateway_\w+)(?:\{([^}]*)\})?/g)) {
    const [, base = name, part] = /^(\w+)_(bucket|sum|count)$/.exec(name) ?? [];
    const family = families.get(part === undefined ? name : base);
    const isHistogram = family?.type === "histogram";
    if (family === undefined || isHistogram !== (part !== undefined)) {
      mistakes.push(`there is no ${name}`);
      continue;
    }
    const own = [...family.labels, ...(part === "bucket" ? ["le"] : []), ...TARGET_LABELS];
    for (const label of own) labels.add(label);
    for (const [label] of matchers.matchAll(/\w+(?=\s*(?:=|!=|=~|!~)\s*")/g)) {
      if (!own.includes(label)) mistakes.push(`${name} has no label ${label}`);
    }
    if (family.type === "counter" && !/\b(rate|increase)\(|gateway_unhandled_errors_total/.test(query)) {
      mistakes.push(`${name} only grows: it needs rate() or increase()`);
    }
  }
  const grouped = Array.from(query.matchAll(/\bby \(([^)]*)\)/g), ([, list = ""]) => list.split(/,\s*/))
    .flat();
  for (const label of [...grouped, ...legend]) {
    if (!labels.has(label)) mistakes.push(`there is no label ${label}`);
  }
  for (const label of legend) {
    if (grouped.length > 0 && !grouped.includes(label)) mistakes.push(`the sum has no label ${label}`);
  }
  return mistakes;
}

for (
  const [path, queries] of [["grafana.json", dashboardQueries()], ["alerts.yaml", alertQueries()]] as const
) {
  test(`docs/deploy/${path} names only metrics and labels that exist`, async () => {
    const families = await readFamilies();
    assert.ok(queries.length > 5);
    for (const query of queries) assert.deepEqual(findMistakes(query, families), [], query.query);
  });

  test(`docs/deploy/${path} counts the requests of clients, not those of the operator's programs`, () => {
    const omitted = ROUTES.map(toRouteName).filter((route) => / \/(health|metrics|restate)/.test(route));
    assert.ok(omitted.length >= 5);
    const [, ...counts] = queries.map(({ query }) => query).join("\n").split("gateway_requests_total");
    assert.ok(counts.length > 0);
    for (const count of counts) {
      const [, pattern = ""] = /^\{[^}]*\broute!~"([^"]*)"/.exec(count) ?? [];
      const isOmitted = (route: string) => new RegExp(`^(?:${pattern})$`).test(route);
      assert.deepEqual(ROUTES.map(toRouteName).filter(isOmitted), omitted);
    }
  });
}

test("docs/deploy/grafana.json shows every metric", async () => {
  const shown = dashboardQueries().map(({ query }) => query).join("\n");
  const others = ["gateway_open_requests", "gateway_data_dir_writable"];
  for (const name of (await readFamilies()).keys()) {
    assert.equal(shown.includes(name), !others.includes(name), name);
  }
});

const WRONG: [query: string, legend: string[], mistake: string][] = [
  ["sum(rate(gateway_request_total[5m]))", [], "there is no gateway_request_total"],
  ["rate(gateway_first_event_seconds[5m])", [], "there is no gateway_first_event_seconds"],
  ['rate(gateway_failures_total{cause="x"}[5m])', [], "gateway_failures_total has no label cause"],
  ["sum by (model) (rate(gateway_requests_total[5m]))", [], "there is no label model"],
  ["sum by (kind) (rate(gateway_tokens_total[5m]))", ["model"], "the sum has no label model"],
  ["sum(gateway_tokens_total)", [], "gateway_tokens_total only grows: it needs rate() or increase()"],
];

for (const [query, legend, mistake] of WRONG) {
  test(`findMistakes() finds that ${mistake}`, async () => {
    assert.deepEqual(findMistakes({ query, legend }, await readFamilies()), [mistake]);
  });
}

test("docs/operations.md has the names and labels of all metrics", async () => {
  const [, section = ""] = /\n## Metrics\n([\s\S]*?)\n## /.exec(read("docs/operations.md")) ?? [];
  const rows = section.split("\n").filter((line) => line.startsWith("| `gateway_"));
  const documented = rows.flatMap((row) => {
    const [, names = "", labels = ""] = row.split("|");
    const lists = labels.split(";").map((list) => list.match(/(?<=`)\w+(?=`)/g) ?? []);
    return (names.match(/gateway_\w+/g) ?? []).map((name, at) => [name, lists[at] ?? lists[0]]);
  });
  const families = [...(await readFamilies()).values()].map(({ name, labels }) => [name, [...labels]]);
  const byName = (list: unknown[][]) => list.toSorted(([a], [b]) => String(a).localeCompare(String(b)));
  assert.deepEqual(byName(documented), byName(families));
});
