import { BILLION } from "../../../limits/ledger/counts.ts";
import type { LedgerRow } from "../../../limits/ledger/table.ts";

/** Columns of the file: their names, and their values in a row. */
const COLUMNS: readonly [name: string, value: (row: LedgerRow) => string | number][] = [
  ["day_utc", ({ day }) => day],
  ["key", ({ client }) => client],
  ["model", ({ name }) => name],
  ["requests", ({ counts }) => counts.requests],
  ["turns", ({ counts }) => counts.turns],
  ["turns_without_price", ({ counts }) => counts.unpriced],
  ["usd_reported", ({ counts }) => toUsd(counts.reported)],
  ["usd_by_list_price", ({ counts }) => toUsd(counts.listed)],
  ["input_tokens", ({ counts }) => counts.input],
  ["cache_read_tokens", ({ counts }) => counts.cacheRead],
  ["cache_write_tokens", ({ counts }) => counts.cacheWrite],
  ["output_tokens", ({ counts }) => counts.output],
];

/**
 * Writes rows of models or of sessions as CSV (RFC 4180), one row a day, key and name.
 *
 * Clients choose names. A text that a spreadsheet would take for a formula begins with an apostrophe. Source:
 * https://owasp.org/www-community/attacks/CSV_Injection
 *
 * @example Usage
 * ```ts
 * import { toCsv } from "./csv.ts";
 *
 * const [head] = toCsv([], "model").split("\r\n");
 * if (head?.startsWith("day_utc,key,model,") !== true) throw new Error(head);
 * ```
 */
export function toCsv(rows: readonly LedgerRow[], by: LedgerRow["by"]): string {
  const sorted = rows.filter((row) => row.by === by).sort((one, other) =>
    compare(one.day, other.day) || compare(one.client, other.client) || compare(one.name, other.name)
  );
  const head = COLUMNS.map(([name]) => name === "model" ? by : name).join(",");
  const lines = sorted.map((row) => COLUMNS.map(([, value]) => toCell(value(row))).join(","));
  return [head, ...lines, ""].join("\r\n");
}

function toCell(value: string | number): string {
  if (typeof value === "number") return String(value);
  if (/^\d[\d.-]*$/.test(value)) return value;
  const safe = FORMULA.test(value) ? `'${value}` : value;
  return `"${safe.replaceAll('"', '""')}"`;
}

/** Beginning of a formula; spreadsheets take some characters of full width for the same, and skip white space. */
const FORMULA = /^[\s\p{C}]*[=+\-@|%\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/u;

/** Returns billionths of a USD as a decimal number, exactly: `0.0236`. */
function toUsd(billionths: number): string {
  const whole = Math.floor(billionths / BILLION);
  const rest = String(billionths - whole * BILLION).padStart(9, "0").replace(/0+$/, "");
  return rest === "" ? String(whole) : `${whole}.${rest}`;
}

function compare(one: string, other: string): number {
  return one === other ? 0 : one < other ? -1 : 1;
}
