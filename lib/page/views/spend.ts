import type { BudgetUse } from "../../limits/budget_use.ts";
import { type DayRange, toDay } from "../../limits/ledger/days.ts";
import type { LedgerReading } from "../../limits/ledger/ledger.ts";
import type { LedgerRow } from "../../limits/ledger/table.ts";
import { StoreError } from "../../base/store_error.ts";
import { attributes, type Html, type HtmlValue, markup } from "../elements/html.ts";
import { command } from "../elements/words.ts";
import { budgetNotices, budgetTable, noBudget } from "./spend/budgets.ts";
import { toChanges } from "./spend/changes.ts";
import { renderDayChart } from "./spend/chart.ts";
import { toCsv } from "./spend/csv.ts";
import { monthBefore, monthName, monthOf, readRange, type SpendRange } from "./spend/range.ts";
import { readBudgets, readLedger } from "./spend/read.ts";
import { spendSentence } from "./spend/sentence.ts";
import { sumAll, sumBy } from "./spend/sums.ts";
import { section } from "./section.ts";
import {
  changeTable,
  dayTable,
  keyTable,
  modelTable,
  priceNote,
  readSort,
  sessionNote,
  sessionTable,
} from "./spend/tables.ts";
import { type Notice, type Page, type Part, part, partId, type View, type ViewCall } from "../view.ts";

/** What was spent, by day, model, key and session, against the range before and against the limits. */
export const spend: View = {
  name: "spend",
  label: "Spend",
  shortcut: "s",
  async render(call) {
    const today = toDay(call.now);
    const range = readRange(call.query, today);
    const reading = await readLedger(call, { from: range.previous.from, to: range.to });
    if (reading === undefined) return unreadable();
    const [session] = sumBy(rowsOf(reading.rows, { from: today, to: today }), "client and session");
    const budgets = await readBudgets(call, { rows: reading.rows, session });
    return renderSpend(call, { ...reading, range, budgets, session: session?.name });
  },
  downloads: { "spend.csv": download },
};

/** What the view is rendered from. */
interface SpendData extends LedgerReading {
  range: SpendRange;
  /** Undefined if the store of the limits cannot be reached. */
  budgets: readonly BudgetUse[] | undefined;
  /** Session of today that costs most. */
  session: string | undefined;
}

function renderSpend(call: ViewCall, data: SpendData): Page {
  const { gateway: { ledger, operations }, now, query } = call;
  const { range, rows, since, damaged, budgets, session } = data;
  const shown = rowsOf(rows, range);
  const earlier = rowsOf(rows, range.previous);
  const isComparable = since !== undefined && since <= range.previous.from;
  const changes = isComparable ? toChanges(earlier, shown) : [];
  const models = sumBy(shown, "model");
  const sessions = sumBy(shown, "client and session");
  const total = sumAll(shown);
  const sorting = { sort: readSort(query), query: range.query };
  const sentence = spendSentence({
    range,
    place: ledger.place,
    total,
    before: isComparable ? sumAll(earlier).usd : undefined,
    changes,
    since,
    startedAt: operations.counters.startedAt,
    now,
    hasBudgets: budgets === undefined || budgets.length > 0,
  });
  const limits = section("limits", "Against limits", {
    note: budgets !== undefined && budgets.length > 0 && "The sums by which requests are admitted",
    body: budgets === undefined
      ? markup`<p class="panel pad">The store of the limits does not answer.</p>`
      : budgets.length > 0
      ? budgetTable(budgets, { now, session })
      : noBudget(ledger.place !== "memory"),
  });
  const isEmpty = shown.length === 0;
  return {
    title: `Spend ${range.words}`,
    sentence,
    notices: [...budgetNotices(budgets ?? [], now), ...damagedNotice(damaged)],
    tools: chooser(range, { today: toDay(now), since, isEmpty }),
    parts: isEmpty ? [stack("nothing", [nothingYet(call, since), limits])] : [
      ...(range.days > 1 ? [byDay(shown, range, models.map(({ name }) => name))] : []),
      part(
        "models",
        section("by-model", "By model", { note: priceNote(models), body: modelTable(models, sorting) }),
      ),
      [
        stack("keys", [
          isComparable && section("changed", "What changed", {
            note: `Compared with the cost ${range.previous.words}`,
            body: changes.length > 0
              ? changeTable(changes)
              : markup`<p class="panel pad">Nothing costs more or less than before.</p>`,
          }),
          section("by-key", "By key", { body: keyTable(sumBy(shown, "client"), sorting) }),
        ]),
        stack("limits", [
          limits,
          sessions.length > 0 && section("by-session", "By session", {
            note: sessionNote(sessions),
            body: sessionTable(sessions, now),
          }),
        ]),
      ],
    ],
    live: 10,
  };
}

function rowsOf(rows: readonly LedgerRow[], { from, to }: DayRange): LedgerRow[] {
  return rows.filter(({ day }) => day >= from && day <= to);
}

function byDay(rows: readonly LedgerRow[], range: SpendRange, models: readonly string[]): Part {
  const note = range.isOpen
    ? "USD; UTC days, the same as budgets. The last day is not over."
    : "USD; UTC days.";
  return {
    id: "days",
    html: markup`<section aria-labelledby="by-day" class="panel pad" id="${
      partId("days")
    }"><header><h2 id="by-day">By day and model</h2><p>${note}</p></header>${
      renderDayChart(rows, range, models)
    }${dayTable(sumBy(rows, "day"))}</section>`,
  };
}

/** Sections one below the other, which are swapped together. */
function stack(id: string, sections: readonly HtmlValue[]): Part {
  return { id, html: markup`<div id="${partId(id)}" class="stack">${sections}</div>` };
}

/** Renders the links to other ranges, and to the file of this one. */
function chooser(
  { query }: SpendRange,
  { today, since, isEmpty }: { today: string; since: string | undefined; isEmpty: boolean },
): Html {
  const month = monthOf(today);
  const months = [month, monthBefore(month)];
  const chosen = /^month=(.*)$/.exec(query)?.[1];
  if (chosen !== undefined && !months.includes(chosen)) months.push(chosen);
  const earlier = monthBefore(months.at(-1) ?? month);
  const choices = [
    ["days=1", "Today"],
    ["days=7", "7 days"],
    ["days=30", "30 days"],
    ...months.map((name) => [`month=${name}`, monthName(name, today)]),
    ...(since !== undefined && since.slice(0, month.length) <= earlier
      ? [[`month=${earlier}`, "Earlier"]]
      : []),
  ];
  return markup`<div class="actions screen"><nav class="segment" aria-label="Period">${
    choices.map(([choice = "", label]) =>
      markup`<a href="${`spend?${choice}`}"${
        attributes({ "aria-current": choice === query && "true" })
      }>${label}</a>`
    )
  }</nav>${!isEmpty && markup`<a class="button" href="${`spend.csv?${query}`}">CSV</a>`}</div>`;
}

function nothingYet({ host }: ViewCall, since: string | undefined): Html {
  return section("no-spend", since === undefined ? "No spend yet" : "No spend in this period", {
    body: markup`<div class="panel empty"><h3>${
      since === undefined ? "Send a request" : "Choose another period"
    }</h3><p>${
      since === undefined
        ? "Claude Code with this gateway; the cost appears here when an answer has ended."
        : "The ledger has other days; the links above choose them."
    }</p>${since === undefined && command(`ANTHROPIC_BASE_URL=http://${host} claude`)}</div>`,
  });
}

function damagedNotice(damaged: number): Notice[] {
  if (damaged === 0) return [];
  return [{
    kind: "warn",
    word: "Ledger damaged",
    text: markup`${damaged} ${
      damaged === 1 ? "entry" : "entries"
    } of the ledger in this period and the one before cannot be read; the sums are too low.`,
  }];
}

function unreadable(): Page {
  return {
    title: "Spend: not readable",
    sentence:
      markup`<strong>Spend cannot be read:</strong> its store does not answer. What is spent meanwhile is kept, and written later.`,
    notices: [{
      kind: "bad",
      word: "Ledger unreachable",
      text:
        markup`The log has the reason. Check <code>RATE_LIMIT_STORE</code> or the folder <code>STATE_DIR</code>.`,
      link: { href: "settings", text: "See settings" },
    }],
    parts: [],
    live: 10,
    status: 503,
  };
}

/**
 * Answers with the rows of a range as CSV: by model, or with `by=session` by session.
 *
 * @throws {ApiError} `overloaded_error` if the store of the ledger cannot be reached.
 */
async function download({ gateway, query, now }: ViewCall): Promise<Response> {
  const range = readRange(query, toDay(now));
  const { rows } = await gateway.ledger.read(range).catch((cause) => {
    throw StoreError.unreachable("store of the ledger", { task: "read the spend", cause });
  });
  const by = query.get("by") === "session" ? "session" : "model";
  return new Response(toCsv(rows, by), {
    headers: {
      "content-type": "text/csv; charset=utf-8",
      "content-disposition": `attachment; filename="spend-${range.from}-to-${range.to}.csv"`,
    },
  });
}
