import { daysOf } from "../../../limits/ledger/days.ts";
import type { LedgerRow } from "../../../limits/ledger/table.ts";
import { formatSum } from "../../elements/format.ts";
import { type Html, markup } from "../../elements/html.ts";
import { dayName, type SpendRange } from "./range.ts";
import { sumAll } from "./sums.ts";

const HEIGHT = 188;
const TOP = 12;
const BASE = 168;
/** Number of models that have a colour of their own. */
export const SERIES = 5;

/**
 * Renders the cost of each day as bars of the first models and the rest, in the order of `models`. The numbers stand in
 * the tables below.
 */
export function renderDayChart(
  rows: readonly LedgerRow[],
  range: SpendRange,
  models: readonly string[],
): Html {
  const days = daysOf(range);
  const bars = days.map((day) => toBar(day, rows, models));
  const top = scaleOf(Math.max(...bars.map(({ usd }) => usd), 0.01));
  const width = 100 / days.length;
  const shown = bars.map((bar, at) =>
    renderBar(bar, {
      x: (at + 0.11) * width,
      width: width * 0.78,
      top,
      isOpen: range.isOpen && at === days.length - 1,
    })
  );
  const labels = bars.map(({ day }, at) =>
    isLabelled(at, days.length) &&
    markup`<text x="${((at + 0.5) * width).toFixed(2)}%" y="184" text-anchor="middle">${
      Number(day.slice(8))
    }</text>`
  );
  return markup`<figure class="plot"><svg class="chart y" height="${HEIGHT}" aria-hidden="true">${
    [0, top / 2, top].map((usd) =>
      markup`<text x="100%" y="${(yOf(usd, top) + 4).toFixed(1)}" text-anchor="end">${formatAxis(usd)}</text>`
    )
  }</svg><svg class="chart" height="${HEIGHT}" role="img" aria-label="${
    describe(bars, range)
  }"><line class="axis" x1="0%" x2="100%" y1="${BASE}" y2="${BASE}" /><line class="grid" x1="0%" x2="100%" y1="${
    yOf(top / 2, top)
  }" y2="${
    yOf(top / 2, top)
  }" /><line class="grid" x1="0%" x2="100%" y1="${TOP}" y2="${TOP}" />${shown}${labels}</svg></figure>`;
}

/** A day: its cost in USD, whole and by model, the rest last. */
interface Bar {
  day: string;
  usd: number;
  parts: readonly number[];
}

function toBar(day: string, rows: readonly LedgerRow[], models: readonly string[]): Bar {
  const ofDay = rows.filter((row) => row.day === day && row.by === "model");
  const { usd } = sumAll(ofDay);
  const parts = models.slice(0, SERIES).map((model) =>
    sumAll(ofDay.filter(({ name }) => name === model)).usd
  );
  const rest = usd - parts.reduce((sum, part) => sum + part, 0);
  return { day, usd, parts: [...parts, rest > 1e-9 ? rest : 0] };
}

function renderBar(
  { day, usd, parts }: Bar,
  { x, width, top, isOpen }: { x: number; width: number; top: number; isOpen: boolean },
): Html {
  let y = BASE;
  const rects = parts.map((part, at) => {
    const height = (part / top) * (BASE - TOP);
    if (height < 0.05) return undefined;
    y -= height;
    // One pixel between neighbours.
    return markup`<rect class="fill-${at + 1}${isOpen && " partial"}" x="${x.toFixed(2)}%" y="${
      y.toFixed(1)
    }" width="${width.toFixed(2)}%" height="${Math.max(0.5, height - 1).toFixed(1)}" />`;
  });
  return markup`<g><title>${dayName(day)}: ${formatSum(usd)}</title>${rects}</g>`;
}

function yOf(usd: number, top: number): number {
  return BASE - (usd / top) * (BASE - TOP);
}

/** Returns the end of the axis: a small whole number times a power of ten. */
function scaleOf(usd: number): number {
  const power = 10 ** Math.floor(Math.log10(usd));
  return [1, 2, 3, 4, 6, 8, 10].map((factor) => factor * power).find((end) => end >= usd) ?? 10 * power;
}

function formatAxis(usd: number): string {
  return usd === 0 ? "$0" : `$${Number(usd.toPrecision(3))}`;
}

/** True for the first and the last day, and about five between. */
function isLabelled(at: number, days: number): boolean {
  if (at === days - 1 || days <= 8) return true;
  return at === 0 || ((at + 1) % 5 === 0 && days - 1 - at > 2);
}

function describe(bars: readonly Bar[], { words }: SpendRange): string {
  const highest = bars.reduce((one, other) => other.usd > one.usd ? other : one, {
    day: "",
    usd: 0,
    parts: [],
  });
  return highest.day === ""
    ? `Cost a day ${words}: nothing`
    : `Cost a day ${words}, by model; the highest is ${formatSum(highest.usd)} on ${dayName(highest.day)}`;
}
