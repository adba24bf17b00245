import type { BudgetUse } from "../../../limits/budget_use.ts";
import { formatDuration, formatExact, formatPercent, formatSum } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { meter } from "../../elements/charts.ts";
import { command, state } from "../../elements/words.ts";
import type { Notice } from "../../view.ts";
import { dayName } from "./range.ts";

const WARN_SHARE = 0.8;
const MAX_ROWS = 20;

/** Returns the budgets by the share that is used, the greatest share first. */
export function sortBudgets(budgets: readonly BudgetUse[]): BudgetUse[] {
  return budgets.toSorted((one, other) => shareOf(other) - shareOf(one));
}

/** Renders the table of budgets. `session` names the session whose budget is among them. */
export function budgetTable(
  budgets: readonly BudgetUse[],
  { now, session }: { now: number; session: string | undefined },
): Html {
  const rows = sortBudgets(budgets).slice(0, MAX_ROWS).map((budget) => {
    const share = shareOf(budget);
    const shown = formatPercent(share);
    return markup`<tr><th scope="row">${subjectOf(budget)}<span class="sub">a ${budget.period}${
      budget.scope === "session" && session !== undefined &&
      `; the highest, ${session.slice(0, 8)}`
    }</span></th><td class="num fit">${formatSum(budget.used)}</td><td class="num fit">${
      formatLimit(budget.limit)
    }</td><td class="num fit">${
      share >= 1 ? state("bad", shown, { shape: "stop" }) : share >= WARN_SHARE ? state("warn", shown) : shown
    }</td><td class="over-m meter-cell">${meter(share)}</td><td class="fit over-m">${
      resetOf(budget, now)
    }</td></tr>`;
  });
  return markup`<div class="panel scroll"><table aria-labelledby="limits"><thead><tr><th scope="col">Who</th><th scope="col" class="num">Used</th><th scope="col" class="num">Limit</th><th scope="col" class="num">Share</th><th scope="col" class="over-m"><span class="sr">Chart</span></th><th scope="col" class="over-m">Resets</th></tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Returns notices of budgets that are spent, or nearly. */
export function budgetNotices(budgets: readonly BudgetUse[], now: number): Notice[] {
  return sortBudgets(budgets).filter((budget) => shareOf(budget) >= WARN_SHARE).map((budget) => {
    const isSpent = shareOf(budget) >= 1;
    return {
      kind: isSpent ? "bad" : "warn",
      word: isSpent ? "Budget spent" : "Budget nearly spent",
      text: markup`${subjectOf(budget)}: ${formatSum(budget.used)} of ${
        formatLimit(budget.limit)
      } a ${budget.period}; it resets ${resetOf(budget, now)}.${
        isSpent && " Until then, requests get the error 402."
      }`,
      link: { href: "#limits", text: "See limits" },
    };
  });
}

/** Renders what to do if there is no budget. */
export function noBudget(isStored: boolean): Html {
  const limits = '{"each":{"usd_day":20},"session":{"usd_day":10},"total":{"usd_month":200}}';
  return markup`<div class="panel empty"><h3>Set a budget</h3><p>For each key, each session, or all together; a day and a month are those of UTC. A request over a budget gets an error that names it and the time of its reset.</p>${
    command(`LIMITS='${limits}'`, "the setting")
  }${
    !isStored &&
    markup`<p>Spend is kept in memory only. With <code>STATE_DIR</code> it survives a restart, and the ledger keeps 400 days.</p>`
  }</div>`;
}

function shareOf({ used, limit }: BudgetUse): number {
  return limit === 0 ? 1 : used / limit;
}

function subjectOf({ scope, client }: BudgetUse): string {
  switch (scope) {
    case "key":
      return `Key ${client}`;
    case "session":
      return `A session of ${client}`;
    case "total":
      return "All keys";
  }
}

/** Returns a limit in USD without needless decimals: `$2,000`, `$0.50`. */
export function formatLimit(usd: number): string {
  return Number.isInteger(usd) ? `$${formatExact(usd)}` : formatSum(usd);
}

/** Returns when a budget begins anew: `at 00:00 UTC, in 9 h`, `on 1 December, in 33 h`. */
function resetOf({ period, until }: BudgetUse, now: number): string {
  const left = `in ${formatDuration(until - now)}`;
  return period === "day"
    ? `at 00:00 UTC, ${left}`
    : `on ${dayName(new Date(until).toISOString().slice(0, 10))}, ${left}`;
}
