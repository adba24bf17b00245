import type { Ledger } from "../../../limits/ledger/ledger.ts";
import { formatChange, formatPercent, formatSum } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { modelName, time } from "../../elements/words.ts";
import type { Change } from "./changes.ts";
import { dayName, type SpendRange } from "./range.ts";
import type { Sum } from "./sums.ts";

/** What the sentence of Spend is made of. */
export interface SpendFacts {
  range: SpendRange;
  place: Ledger["place"];
  total: Sum;
  /** Sum of the previous range in USD; undefined if the ledger begins later. */
  before: number | undefined;
  changes: readonly Change[];
  /** First day of the ledger; undefined if it is empty. */
  since: string | undefined;
  /** Start of the gateway, and the current time, in milliseconds since 1970. */
  startedAt: number;
  now: number;
  hasBudgets: boolean;
}

/** Share of the cost from which a new model of a key is named. */
const NOTABLE_SHARE = 0.2;
/** Days of a month after which the rest is estimated. */
const MIN_DAYS = 3;

/** Returns the answer in words: what was spent, against what, and what is new. */
export function spendSentence(facts: SpendFacts): Html {
  const { range, place, total, since, startedAt, now, hasBudgets } = facts;
  const noBudget = !hasBudgets && markup` No budget is set: a client in a loop can spend without end.`;
  if (since === undefined) {
    return place === "memory"
      ? markup`<strong>Nothing was spent since the start</strong> of the gateway at ${
        time(startedAt, "short", now)
      }.${noBudget}`
      : markup`<strong>Nothing was spent yet.</strong> No request has used tokens.${noBudget}`;
  }
  const isFromStart = place === "memory" && since >= range.from && range.isOpen && total.counts.turns > 0;
  const words = isFromStart ? "since the start" : range.words;
  const tail = isFromStart
    ? markup` of the gateway at ${time(startedAt, "short", now)}: the ledger is in memory.`
    : since > range.from && markup` The ledger begins on ${dayName(since)}.`;
  if (total.counts.turns === 0) return markup`<strong>Nothing was spent ${words}.</strong>${tail}${noBudget}`;
  if (total.usd === 0 && total.counts.unpriced > 0) {
    return markup`<strong>No price is known ${words}:</strong> no upstream reported a cost, and no model has a list price.${tail}`;
  }
  if (isFromStart) return markup`<strong>${formatSum(total.usd)} ${words}</strong>${tail}${noBudget}`;
  const rest = [compare(facts), project(facts)].filter((part) => part !== undefined).join("; ");
  return markup`<strong>${formatSum(total.usd)} ${range.words}${rest === "" ? "." : ","}</strong>${
    rest !== "" && ` ${rest}.`
  }${nameNew(facts)}${tail}${noBudget}`;
}

function compare({ before, total, range }: SpendFacts): string | undefined {
  if (before === undefined) return undefined;
  const change = total.usd - before;
  if (formatChange(change) === "$0") return `as much as ${range.previous.words}`;
  return `${formatSum(Math.abs(change))} ${change < 0 ? "less" : "more"} than ${range.previous.words}`;
}

/** Estimates the whole month by its share that is over. */
function project({ range, total, now, since }: SpendFacts): string | undefined {
  if (range.month === undefined || !range.isOpen || (since ?? "") > range.from) return undefined;
  const elapsed = (now - Date.parse(`${range.from}T00:00:00Z`)) / DAY_MS;
  if (elapsed < MIN_DAYS) return undefined;
  return `${formatSum(total.usd / elapsed * range.month.days)} by the end of the month at this rate`;
}

const DAY_MS = 86_400_000;

function nameNew({ changes, total, before, range }: SpendFacts): Html | undefined {
  const found = before === undefined ? undefined : changes.find(({ before }) => before === 0);
  if (found === undefined || before === 0 || found.now / total.usd < NOTABLE_SHARE) return undefined;
  const key = markup`<a href="${`.?key=${encodeURIComponent(found.client)}`}">${found.client}</a>`;
  return markup` ${
    formatPercent(found.now / total.usd)
  } of it was not there ${range.previous.words}: key ${key} on ${modelName(found.model)}.`;
}
