import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Counts, NO_COUNTS } from "../../../../lib/limits/ledger/counts.ts";
import { daysOf, shiftDay } from "../../../../lib/limits/ledger/days.ts";
import type { LedgerRow } from "../../../../lib/limits/ledger/table.ts";
import { budgetNotices } from "../../../../lib/page/views/spend/budgets.ts";
import { toChanges } from "../../../../lib/page/views/spend/changes.ts";
import { renderDayChart } from "../../../../lib/page/views/spend/chart.ts";
import { toCsv } from "../../../../lib/page/views/spend/csv.ts";
import { monthBefore, readRange } from "../../../../lib/page/views/spend/range.ts";
import { type SpendFacts, spendSentence } from "../../../../lib/page/views/spend/sentence.ts";
import { sumAll, sumBy } from "../../../../lib/page/views/spend/sums.ts";

const TODAY = "2026-11-29";
const NOW = Date.parse(`${TODAY}T12:00:00Z`);
const BILLION = 1e9;

function row(usd: number, fields: Partial<Omit<LedgerRow, "counts">> & Partial<Counts> = {}): LedgerRow {
  const { day = TODAY, by = "model", client = "ci", name = "openrouter/a/b", ...counts } = fields;
  const turns = counts.turns ?? 1;
  return {
    day,
    by,
    client,
    name,
    counts: { ...NO_COUNTS, requests: turns, turns, reported: Math.round(usd * BILLION), ...counts },
  };
}

const text = (html: unknown) => String(html).replace(/<[^>]+>/g, "");

const RANGES: [query: string, shown: string][] = [
  ["", "2026-11-01..2026-11-29 in November so far | 2026-10-01..2026-10-29 in October by the 29th"],
  ["month=2026-10", "2026-10-01..2026-10-31 in October | 2026-09-01..2026-09-30 in September"],
  ["month=2026-01", "2026-01-01..2026-01-31 in January | 2025-12-01..2025-12-31 in December 2025"],
  ["month=2024-02", "2024-02-01..2024-02-29 in February 2024 | 2024-01-01..2024-01-31 in January 2024"],
  ["days=1", "2026-11-29..2026-11-29 today | 2026-11-28..2026-11-28 yesterday"],
  ["days=7", "2026-11-23..2026-11-29 in 7 days | 2026-11-16..2026-11-22 in the 7 days before"],
  [
    "days=9999999",
    "2026-11-01..2026-11-29 in November so far | 2026-10-01..2026-10-29 in October by the 29th",
  ],
  [
    "month=2026-12",
    "2026-11-01..2026-11-29 in November so far | 2026-10-01..2026-10-29 in October by the 29th",
  ],
  [
    "month=2026-13",
    "2026-11-01..2026-11-29 in November so far | 2026-10-01..2026-10-29 in October by the 29th",
  ],
  [
    "month=%3Cscript%3E",
    "2026-11-01..2026-11-29 in November so far | 2026-10-01..2026-10-29 in October by the 29th",
  ],
];

for (const [query, shown] of RANGES) {
  test(`readRange() of "${query}"`, () => {
    const { from, to, words, previous } = readRange(new URLSearchParams(query), TODAY);
    assert.equal(
      `${from}..${to} ${words} | ${previous.from}..${previous.to} ${previous.words}`,
      shown,
    );
  });
}

test("readRange() compares the last day of a long month with the whole shorter month before", () => {
  const { previous } = readRange(new URLSearchParams(), "2026-03-31");
  assert.deepEqual([previous.from, previous.to, previous.words], ["2026-02-01", "2026-02-28", "in February"]);
  assert.equal(monthBefore("2026-01"), "2025-12");
});

test("readRange() has ranges of adjoining days, on any day", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 3000 }),
      fc.constantFrom("days=1", "days=7", "days=30"),
      (at, query) => {
        const today = shiftDay("2024-01-01", at);
        const { from, days, previous } = readRange(new URLSearchParams(query), today);
        assert.equal(shiftDay(previous.to, 1), from);
        assert.equal(daysOf(previous).length, days);
      },
    ),
  );
});

const Rows = fc.array(
  fc.record({
    day: fc.constantFrom("2026-11-27", "2026-11-28", "2026-11-29"),
    client: fc.constantFrom("ci", "laptop"),
    name: fc.constantFrom("a", "b", "c"),
    reported: fc.integer({ min: 0, max: 1e12 }),
  }).map(({ reported, ...fields }) => row(0, { ...fields, reported })),
);

test("sumBy() divides the same cost by day, by model and by key", () => {
  fc.assert(fc.property(Rows, (rows) => {
    const all = sumAll(rows).counts;
    for (const grouping of ["day", "model", "client", "client and model"] as const) {
      const sums = sumBy(rows, grouping).map(({ counts }) => counts.reported);
      assert.equal(sums.reduce((sum, cost) => sum + cost, 0), all.reported, grouping);
    }
    const days = ["2026-11-27", "2026-11-28", "2026-11-29"].map((day) =>
      sumAll(rows.filter((row) => row.day === day))
    );
    assert.equal(days.reduce((sum, { counts }) => sum + counts.reported, 0), all.reported);
  }));
});

test("sumBy() does not count a turn twice that is in the row of a session", () => {
  const rows = [row(1), row(1, { by: "session", name: "s1" })];
  assert.equal(sumAll(rows).usd, 1);
  assert.deepEqual(sumBy(rows, "client and session").map(({ name, usd }) => [name, usd]), [["s1", 1]]);
});

test("toChanges() names models that are new, gone, used more often or more expensive", () => {
  const before = [
    row(10, { name: "gone" }),
    row(10, { name: "more", turns: 10 }),
    row(10, { name: "dearer", turns: 10 }),
    row(5, { name: "same", turns: 5 }),
  ];
  const now = [
    row(50, { name: "new", day: "2026-11-25" }),
    row(14, { name: "more", turns: 14 }),
    row(13.8, { name: "dearer", turns: 10 }),
    row(5, { name: "same", turns: 5 }),
  ];
  assert.deepEqual(toChanges(before, now).map(({ model, before, now, why }) => [model, before, now, why]), [
    ["new", 0, 50, "new since 25 November"],
    ["gone", 10, 0, "not used any more"],
    ["more", 10, 14, "40% more turns"],
    ["dearer", 10, 13.8, "a turn costs 38% more"],
  ]);
});

function facts(fields: Partial<SpendFacts> & { rows?: LedgerRow[] } = {}): SpendFacts {
  const { rows = [row(412.68)], ...rest } = fields;
  return {
    range: readRange(new URLSearchParams(), TODAY),
    place: "disk",
    total: sumAll(rows),
    before: undefined,
    changes: [],
    since: "2026-01-01",
    startedAt: Date.parse("2026-11-29T08:00:00Z"),
    now: NOW,
    hasBudgets: true,
    ...rest,
  };
}

const NEW = { client: "eval-nightly", model: "x/y", before: 0, now: 200, why: "" };

const SENTENCES: [what: string, facts: SpendFacts, sentence: string][] = [
  [
    "a month against the one before",
    facts({ before: 348.58 }),
    "$412.68 in November so far, $64.10 more than in October by the 29th; $434.40 by the end of the month at this rate.",
  ],
  [
    "a new model of a key",
    facts({ range: readRange(new URLSearchParams("days=7"), TODAY), before: 500, changes: [NEW] }),
    "$412.68 in 7 days, $87.32 less than in the 7 days before. 48% of it was not there in the 7 days before: key eval-nightly on x/y.",
  ],
  [
    "a month that is over",
    facts({ range: readRange(new URLSearchParams("month=2026-10"), TODAY), before: 412.68 }),
    "$412.68 in October, as much as in September.",
  ],
  [
    "a ledger that begins within the month",
    facts({ since: "2026-11-12" }),
    "$412.68 in November so far. The ledger begins on 12 November.",
  ],
  [
    "a ledger in memory",
    facts({ place: "memory", since: TODAY, rows: [row(4.18)] }),
    "$4.18 since the start of the gateway at 08:00: the ledger is in memory.",
  ],
  ["no spend in the range", facts({ rows: [] }), "Nothing was spent in November so far."],
  [
    "an empty ledger",
    facts({ rows: [], since: undefined, hasBudgets: false }),
    "Nothing was spent yet. No request has used tokens. No budget is set: a client in a loop can spend without end.",
  ],
  [
    "an empty ledger in memory",
    facts({ rows: [], since: undefined, place: "memory" }),
    "Nothing was spent since the start of the gateway at 08:00.",
  ],
  [
    "no price",
    facts({ rows: [row(0, { unpriced: 1 })] }),
    "No price is known in November so far: no upstream reported a cost, and no model has a list price.",
  ],
];

for (const [what, given, sentence] of SENTENCES) {
  test(`spendSentence() of ${what}`, () => assert.equal(text(spendSentence(given)), sentence));
}

test("renderDayChart() has a bar for each day, whose parts add up", () => {
  const range = readRange(new URLSearchParams("days=7"), TODAY);
  const rows = ["a", "b", "c", "d", "e", "f", "g"].map((name, at) => row(at + 1, { name }));
  const html = String(renderDayChart(rows, range, sumBy(rows, "model").map(({ name }) => name)));
  assert.equal(html.match(/<g>/g)?.length, 7);
  assert.match(html, /<title>29 November: \$28\.00<\/title>/);
  assert.deepEqual([...html.matchAll(/class="fill-(\d) partial"/g)].map(([, n]) => n), [
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
  ]);
  assert.match(html, /the highest is \$28\.00 on 29 November/);
  assert.doesNotMatch(html, /style=|NaN|Infinity/);
});

test("renderDayChart() draws a range without cost", () => {
  const html = String(
    renderDayChart([row(0, { unpriced: 1 })], readRange(new URLSearchParams(), TODAY), ["x"]),
  );
  assert.doesNotMatch(html, /<rect|NaN|Infinity/);
  assert.match(html, /nothing/);
});

test("budgetNotices() names budgets from 80% on, the greatest share first", () => {
  const budget = { client: "ci", period: "day", limit: 10, until: NOW + 9 * 3_600_000 } as const;
  const shown = budgetNotices([
    { ...budget, scope: "key", used: 8 },
    { ...budget, scope: "total", used: 12 },
    { ...budget, scope: "session", used: 7.99 },
    { ...budget, scope: "key", client: "zero", used: 0, limit: 0 },
  ], NOW);
  assert.deepEqual(shown.map(({ kind, word, text: html }) => [kind, word, text(html)]), [
    [
      "bad",
      "Budget spent",
      "All keys: $12.00 of $10 a day; it resets at 00:00 UTC, in 9 h. Until then, requests get the error 402.",
    ],
    [
      "bad",
      "Budget spent",
      "Key zero: $0 of $0 a day; it resets at 00:00 UTC, in 9 h. Until then, requests get the error 402.",
    ],
    ["warn", "Budget nearly spent", "Key ci: $8.00 of $10 a day; it resets at 00:00 UTC, in 9 h."],
  ]);
});

const FORMULAS = [
  "=1+1",
  "+1",
  "-1",
  "@SUM(A1)",
  "\t=1",
  "\r=1",
  "\n=1",
  " =1",
  "\u0000=1",
  "\u200B=1",
  "\uFF1D1+1",
  "|cmd",
  "%0A",
  '=HYPERLINK("http://example.com","x")',
];

for (const name of FORMULAS) {
  test(`toCsv() writes ${JSON.stringify(name)} as a text`, () => {
    for (const one of [row(1, { name }), row(1, { client: name })]) {
      const csv = toCsv([one], "model");
      assert.ok(csv.includes(`"'${name.replaceAll('"', '""')}"`), csv);
    }
  });
}

test("toCsv() keeps every cell except for apostrophes, and has no cell that begins a formula", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (client, name) => {
    const [, cells = []] = parseCsv(toCsv([row(1, { client, name })], "model"));
    assert.equal(cells.length, 12);
    for (const [cell, given] of [[cells[1], client], [cells[2], name]]) {
      assert.ok(cell === given || cell === `'${given}`, cell);
      assert.doesNotMatch(cell ?? "", /^[=+\-@\t\r]/);
    }
  }));
});

test("toCsv() has exact costs, sorted by day, key and model", () => {
  const rows = [
    row(0.1, { name: "b", listed: 1 }),
    row(12, { name: "a", requests: 2 }),
    row(1, { day: "2026-11-28", name: "z" }),
    row(1, { by: "session", name: "s" }),
  ];
  assert.equal(
    toCsv(rows, "model"),
    [
      "day_utc,key,model,requests,turns,turns_without_price,usd_reported,usd_by_list_price,input_tokens,cache_read_tokens,cache_write_tokens,output_tokens",
      '2026-11-28,"ci","z",1,1,0,1,0,0,0,0,0',
      '2026-11-29,"ci","a",2,1,0,12,0,0,0,0,0',
      '2026-11-29,"ci","b",1,1,0,0.1,0.000000001,0,0,0,0',
      "",
    ].join("\r\n"),
  );
  assert.match(toCsv(rows, "session"), /^day_utc,key,session,.*\r\n2026-11-29,"ci","s",/);
});

/** Parses CSV according to RFC 4180. */
function parseCsv(csv: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of csv.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n|$)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  return rows;
}
