import { addCounts } from "../../../limits/ledger/counts.ts";
import { formatChange, formatCost, formatCount, formatPercent, formatSum } from "../../elements/format.ts";
import { attributes, type Html, markup } from "../../elements/html.ts";
import { count, modelName, time, unknown } from "../../elements/words.ts";
import type { Change } from "./changes.ts";
import { SERIES } from "./chart.ts";
import { dayName } from "./range.ts";
import { type Sum, sumOf } from "./sums.ts";

/** Rows that a table shows; those beyond are summed, or named by their number. */
const MAX_ROWS = 20;
const MAX_CHANGES = 8;
const MAX_SESSIONS = 8;

/** Number that a table may be sorted by. */
export type SortKey = "cost" | "turns" | "input" | "output";

const SORTS: Record<SortKey, (sum: Sum) => number> = {
  cost: ({ usd }) => usd,
  turns: ({ counts }) => counts.turns,
  input: (sum) => inputOf(sum),
  output: ({ counts }) => counts.output,
};

/** Returns the order that a query chooses; by default that of the cost. */
export function readSort(query: URLSearchParams): SortKey {
  const sort = query.get("sort") ?? "";
  return sort === "turns" || sort === "input" || sort === "output" ? sort : "cost";
}

/** How a table is sorted, and the query of its view without the order. */
export interface Sorting {
  sort: SortKey;
  query: string;
}

/** Renders the table of models. The first ones have the colours of the chart. */
export function modelTable(models: readonly Sum[], { sort, query }: Sorting): Html {
  const total = sumOf(models, "All");
  const colours = new Map(models.map(({ name }, at) => [name, Math.min(at, SERIES) + 1]));
  const sorted = sortBy(models, sort);
  const rest = sorted.slice(MAX_ROWS);
  const rows = sorted.slice(0, MAX_ROWS).map((sum) =>
    modelRow(sum, total, {
      colour: colours.get(sum.name) ?? SERIES + 1,
      head: markup`<a href="${`.?model=${encodeURIComponent(sum.name)}`}">${modelName(sum.name)}</a>`,
      highest: models[0]?.usd ?? 0,
    })
  );
  const others = rest.length > 0 && modelRow(sumOf(rest, ""), total, {
    colour: SERIES + 1,
    head: markup`<span>${rest.length} other models</span>`,
    highest: models[0]?.usd ?? 0,
  });
  return markup`<div class="panel scroll"><table aria-labelledby="by-model"><thead><tr><th scope="col">Model</th><th scope="col" class="over-m"><span class="sr">Chart</span></th><th scope="col" class="num">Share</th>${
    sortHead("cost", "Cost", { sort, query })
  }${sortHead("turns", "Turns", { sort, query, className: "over-m" })}${
    sortHead("input", "Input", { sort, query, className: "over-m" })
  }<th scope="col" class="num over-l">Cached</th>${
    sortHead("output", "Output", { sort, query, className: "over-m" })
  }<th scope="col" class="num over-l">Per turn</th><th scope="col" class="num over-xl">Reported</th></tr></thead><tbody>${rows}${others}</tbody><tfoot><tr><th scope="row">All</th><td class="over-m"></td><td class="num">100%</td>${
    numbers(total)
  }</tr></tfoot></table></div>`;
}

function modelRow(
  sum: Sum,
  total: Sum,
  { colour, head, highest }: { colour: number; head: Html; highest: number },
): Html {
  const share = total.usd === 0 ? 0 : sum.usd / total.usd;
  const width = highest === 0 ? 0 : Math.min(100, sum.usd / highest * 100);
  return markup`<tr><th scope="row" class="cut"><span class="route"><i class="swatch fill-${colour}"></i>${head}</span></th><td class="over-m meter-cell wide"><svg class="meter" aria-hidden="true"><rect class="fill-track" width="100%" height="8" /><rect class="fill-${colour}" width="${
    width.toFixed(1)
  }%" height="8" /></svg></td><td class="num fit">${sum.usd === 0 ? unknown() : formatPercent(share)}</td>${
    numbers(sum)
  }</tr>`;
}

/** Renders the cells from the cost on. */
function numbers(sum: Sum): Html {
  const { counts, usd } = sum;
  const priced = counts.turns - counts.unpriced;
  const input = inputOf(sum);
  return markup`<td class="num fit">${cost(sum)}</td><td class="num fit over-m">${
    count(counts.turns)
  }</td><td class="num fit over-m">${count(input)}</td><td class="num fit over-l">${
    counts.cacheRead === 0 ? unknown() : formatPercent(counts.cacheRead / input)
  }</td><td class="num fit over-m">${count(counts.output)}</td><td class="num fit over-l">${
    priced === 0 ? unknown() : formatCost(usd / priced)
  }</td><td class="num fit over-xl">${
    usd === 0 ? unknown() : formatPercent(counts.reported / (usd * 1e9))
  }</td>`;
}

/** Renders the cost of a sum; `no price` if none of its turns has one. */
function cost({ counts, usd }: Sum): Html {
  if (usd === 0 && counts.unpriced > 0) return markup`<span class="muted">no price</span>`;
  return markup`${counts.reported === 0 && counts.listed > 0 && "≈ "}${formatSum(usd)}`;
}

/** Renders the table of keys. */
export function keyTable(keys: readonly Sum[], { sort, query }: Sorting): Html {
  const rows = sortBy(keys, sort).slice(0, MAX_ROWS * 2).map((sum) =>
    markup`<tr><th scope="row"><a href="${`.?key=${encodeURIComponent(sum.client)}`}">${sum.client}</a>${
      sum.client === "local" && markup` <span class="sub">without keys, all clients have this name</span>`
    }</th><td class="num fit">${cost(sum)}</td><td class="num fit">${
      count(sum.counts.requests)
    }</td><td class="num fit over-m">${count(inputOf(sum))}</td><td class="num fit over-m">${
      count(sum.counts.output)
    }</td></tr>`
  );
  return markup`<div class="panel scroll"><table aria-labelledby="by-key"><thead><tr><th scope="col">Key</th>${
    sortHead("cost", "Cost", { sort, query })
  }<th scope="col" class="num">Requests</th>${
    sortHead("input", "Input", { sort, query, className: "over-m" })
  }${
    sortHead("output", "Output", { sort, query, className: "over-m" })
  }</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Renders the table of what changed. */
export function changeTable(changes: readonly Change[]): Html {
  const rows = changes.slice(0, MAX_CHANGES).map(({ client, model, before, now, why }) =>
    markup`<tr><th scope="row" class="cut">${modelName(model)}<span class="sub"><a href="${`.?key=${
      encodeURIComponent(client)
    }`}">${client}</a>${why !== "" && ` · ${why}`}</span></th><td class="num fit over-m">${
      formatSum(before)
    }</td><td class="num fit over-m">${formatSum(now)}</td><td class="num fit">${
      formatChange(now - before)
    }</td></tr>`
  );
  return markup`<div class="panel scroll"><table aria-labelledby="changed"><thead><tr><th scope="col">Model and key</th><th scope="col" class="num over-m">Before</th><th scope="col" class="num over-m">Now</th><th scope="col" class="num">Change</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Renders the table of the sessions that cost most. */
export function sessionTable(sessions: readonly Sum[], now: number): Html {
  const rows = sessions.slice(0, MAX_SESSIONS).map((sum) =>
    markup`<tr><th scope="row"><a class="mono" title="${sum.name}" href="${`.?session=${
      encodeURIComponent(sum.name)
    }`}">${sum.name.slice(0, 8)}</a></th><td class="key">${sum.client}</td><td class="num fit">${
      cost(sum)
    }</td><td class="num fit over-m">${count(sum.counts.requests)}</td><td class="num fit over-m">${
      time(sum.counts.last, "short", now)
    }</td></tr>`
  );
  return markup`<div class="panel scroll"><table aria-labelledby="by-session"><thead><tr><th scope="col">Session</th><th scope="col">Key</th><th scope="col" class="num">Cost</th><th scope="col" class="num over-m">Requests</th><th scope="col" class="num over-m">Last</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Returns the note of a table of sessions. */
export function sessionNote(sessions: readonly Sum[]): string | undefined {
  return sessions.length > MAX_SESSIONS ? `The first ${MAX_SESSIONS} of ${sessions.length}` : undefined;
}

/** Renders the days as a table, which is closed at first: the chart shows the same. */
export function dayTable(days: readonly Sum[]): Html {
  const rows = days.map((sum) =>
    markup`<tr><th scope="row">${dayName(sum.name)}</th><td class="num fit">${
      cost(sum)
    }</td><td class="num fit">${count(sum.counts.requests)}</td><td class="num fit over-m">${
      count(inputOf(sum))
    }</td><td class="num fit over-m">${count(sum.counts.output)}</td></tr>`
  );
  return markup`<details id="days"><summary>The numbers of each day</summary><div class="scroll"><table aria-label="Each day"><thead><tr><th scope="col">Day in UTC</th><th scope="col" class="num">Cost</th><th scope="col" class="num">Requests</th><th scope="col" class="num over-m">Input</th><th scope="col" class="num over-m">Output</th></tr></thead><tbody>${rows}</tbody></table></div></details>`;
}

/** Returns the note of the table of models: what the costs are based on. */
export function priceNote(models: readonly Sum[]): string {
  const { reported, listed, unpriced } = addCounts(models.map(({ counts }) => counts));
  const all = reported + listed;
  const parts = [
    all > 0 &&
    `${formatPercent(reported / all)} reported by upstreams, ${formatPercent(listed / all)} from list prices`,
    unpriced > 0 && unpriced === 1
      ? "1 turn has no price and counts as $0"
      : `${formatCount(unpriced)} turns have no price and count as $0`,
  ];
  return [...parts.filter((part) => part !== false), "a turn is one request to an upstream"].join("; ");
}

/** Input tokens: uncached, written to the cache and read from it. */
function inputOf({ counts: { input, cacheRead, cacheWrite } }: Sum): number {
  return input + cacheRead + cacheWrite;
}

function sortBy(sums: readonly Sum[], sort: SortKey): Sum[] {
  return sums.toSorted((one, other) => SORTS[sort](other) - SORTS[sort](one));
}

function sortHead(
  key: SortKey,
  label: string,
  { sort, query, className = "" }: Sorting & { className?: string },
): Html {
  const isSorted = key === sort;
  return markup`<th scope="col" class="${`num ${className}`.trim()}"${
    attributes({ "aria-sort": isSorted && "descending" })
  }><a href="${`spend?${query}&sort=${key}`}">${label}${
    isSorted && markup` <span aria-hidden="true">↓</span>`
  }</a></th>`;
}
