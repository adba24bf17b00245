import type { SeenRequest } from "../../observability/traffic/seen_request.ts";
import { withTimeout } from "../../runtime/timeout.ts";
import { reportTargets } from "../../upstreams/targets/report.ts";
import type { PageSource } from "../source.ts";
import { listPriceOf } from "../../upstreams/list_price.ts";
import { toRouteLabel } from "../../upstreams/route_label.ts";
import { findModel, toFacts } from "../../upstreams/model_list.ts";
import { resolveGroups } from "../../upstreams/resolve.ts";
import { DEMO, type Upstream } from "../../upstreams/upstream.ts";
import { formatNumber } from "../elements/format.ts";
import { type Html, join, markup } from "../elements/html.ts";
import { time } from "../elements/words.ts";
import { type Notice, part, type View, type ViewCall } from "../view.ts";
import { type AliasFacts, aliasTable } from "./models/alias_rows.ts";
import { type Attempts, attemptsOf, countAttempts } from "./models/attempts.ts";
import { type ModelRow, modelTable } from "./models/model_rows.ts";
import { healthOf, needsAttention, type UpstreamFacts, upstreamTable } from "./models/upstream_rows.ts";
import { section } from "./section.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Time that the page waits for checks and lists of upstreams. They continue, and the next update has them. */
const WAIT_MS = 1500;

/** What the aliases mean, and how the upstreams and their models do. */
export const models: View = {
  name: "models",
  label: "Models",
  shortcut: "m",
  async render(call) {
    const { gateway, now } = call;
    const seen = gateway.operations.traffic.newest(now);
    const [upstreams, rows] = await Promise.all([readUpstreams(call, seen), readModels(call, seen)]);
    const failing = upstreams.filter(needsAttention);
    return {
      title: failing.length === 0
        ? "Models: all upstreams work"
        : `Models: ${formatNumber(failing.length, "upstream needs", "upstreams need")} attention`,
      heading: markup`Models and upstreams`,
      sentence: toSentence(upstreams, now),
      notices: [...aliasNotices(gateway), ...keyNotices(failing)],
      parts: [
        part(
          "upstreams",
          section("upstreams", "Upstreams", {
            note: "The last hour; checked at most every 30 s. Solid mark: p50, dashed: p95, from 0.1 to 30 s",
            body: upstreamTable(upstreams, now),
          }),
        ),
        part(
          "aliases",
          section("aliases", "Aliases", {
            note: "Models in the order in which they are tried; requests of 24 hours",
            body: aliasTable(readAliases(call), { modelMap: gateway.config.modelMap, seen }),
          }),
        ),
        part(
          "models",
          section("models", "Models", {
            note: "Asked in the last 24 hours, or named by an alias; prices in USD per 1M tokens",
            body: modelTable(rows),
          }),
        ),
      ],
      live: 10,
    };
  },
};

async function readUpstreams(
  { gateway, now }: ViewCall,
  seen: readonly SeenRequest[],
): Promise<UpstreamFacts[]> {
  const { upstreamChecks, directory, clock } = gateway;
  const checks = await withTimeout(clock, WAIT_MS, upstreamChecks.run());
  const attempts = countAttempts(seen, now - HOUR_MS);
  return Array.from(directory.upstreams.values(), (upstream) => ({
    upstream,
    check: checks?.get(upstream.name),
    attempts: attemptsOf(upstream.name, attempts),
  }));
}

function readAliases({ gateway: { directory, targetHealth } }: ViewCall): AliasFacts[] {
  return Array.from(directory.aliases.keys(), (name) => ({
    name,
    groups: resolveGroups(name, directory).map((group) =>
      group.map((target) => ({ target, health: targetHealth.report(target) }))
    ),
  }));
}

const NO_ATTEMPTS: Attempts = { sent: 0, failed: 0, failing: undefined, firstEvents: [], speeds: [] };

/** Returns the models of 24 hours and of the aliases, with what the upstreams' lists say of them. */
async function readModels({ gateway, now }: ViewCall, seen: readonly SeenRequest[]): Promise<ModelRow[]> {
  const { directory } = gateway;
  const attempts = countAttempts(seen, now - DAY_MS);
  const targets = [...directory.aliases.keys()].flatMap((name) => resolveGroups(name, directory)).flat();
  const models = new Map(
    targets.map(({ upstream, model }) => [toRouteLabel({ upstream, model }), { upstream, model }]),
  );
  for (const label of attempts.keys()) {
    const [name = ""] = label.split("/");
    const upstream = directory.upstreams.get(name);
    if (upstream !== undefined) models.set(label, { upstream, model: label.slice(name.length + 1) });
  }
  await loadLists(gateway, new Set(Array.from(models.values(), ({ upstream }) => upstream)));
  return Array.from(models, ([label, { upstream, model }]) => {
    const listed = findModel(gateway.modelCache.peek(upstream), model);
    return {
      label,
      upstream: upstream.name,
      facts: listed && toFacts(listed),
      price: listPriceOf({ upstream, facts: toFacts(listed) }),
      attempts: attempts.get(label) ?? NO_ATTEMPTS,
    };
  });
}

/** Loads the lists that were never loaded, for a while. The cache does not ask an upstream that has just failed. */
async function loadLists(
  { modelCache, clock }: PageSource,
  upstreams: ReadonlySet<Upstream>,
): Promise<void> {
  const missing = [...upstreams].filter((upstream) =>
    upstream.models === undefined && upstream.key !== undefined && modelCache.peek(upstream).length === 0
  );
  const loading = missing.map((upstream) => modelCache.get(upstream, { client: "console" }));
  if (loading.length > 0) await withTimeout(clock, WAIT_MS, Promise.all(loading));
}

/** Returns the state of the upstreams in words. */
function toSentence(all: readonly UpstreamFacts[], now: number): Html {
  const upstreams = all.filter(({ upstream }) => upstream.name !== DEMO);
  const failing = upstreams.filter(needsAttention);
  const checking = upstreams.filter((facts) => healthOf(facts) === "checking").length;
  if (failing.length === 0) {
    const rest = checking > 0 && markup` ${formatNumber(checking, "check")} not finished.`;
    return upstreams.length === 1
      ? markup`<strong>${upstreams[0]?.upstream.name ?? ""} works.</strong>${rest}`
      : markup`<strong>All ${upstreams.length} upstreams work.</strong>${rest}`;
  }
  const working = upstreams.length - failing.length;
  const details = failing.slice(0, 3).map((facts) => describe(facts, now));
  return markup`<strong>${
    working === 0 ? "No upstream works." : `${working} of ${upstreams.length} upstreams work.`
  }</strong> ${join(details, "; ")}.`;
}

function describe(facts: UpstreamFacts, now: number): Html {
  const { upstream: { name }, attempts: { failing } } = facts;
  switch (healthOf(facts)) {
    case "unreachable":
      return markup`${name} does not answer`;
    case "key_rejected":
      return markup`${name} refuses its key`;
    case "failing":
      return markup`${name} ${failing?.status === 429 ? "limits the rate of requests" : "fails"} since ${
        time(failing?.since ?? now, "short", now)
      }`;
    case "healthy":
    case "checking":
    case "unchecked":
      return markup`${name} works`;
  }
}

/** Returns a notice of each alias whose targets all wait after failures. */
function aliasNotices(gateway: PageSource): Notice[] {
  return Object.entries(reportTargets(gateway)).filter(([, { status }]) => status === "unavailable")
    .map(([name, { targets }]) => ({
      kind: "bad",
      word: "No target",
      text:
        markup`All ${targets.length} targets of the alias <strong>${name}</strong> wait after failures; the next one is tried in ${
          Math.min(...targets.map(({ retry_in_s: seconds }) => seconds ?? 0))
        } s.`,
      link: { href: "#aliases", text: "See aliases" },
    }));
}

function keyNotices(failing: readonly UpstreamFacts[]): Notice[] {
  return failing.filter((facts) => healthOf(facts) === "key_rejected").map(({ upstream: { name } }) => ({
    kind: "bad",
    word: "Key refused",
    text: markup`${name} refuses the gateway's key. Set a valid one in ${
      name === "openrouter" ? markup`<code>OPENROUTER_API_KEY</code>` : markup`<code>UPSTREAMS</code>`
    }.`,
    link: { href: "settings", text: "See settings" },
  }));
}
