import { addCounts, BILLION, costOf, type Counts } from "../../../limits/ledger/counts.ts";
import type { LedgerRow } from "../../../limits/ledger/table.ts";

/** Use of one model, key, session or day. */
export interface Sum {
  /** Key of the client; empty in sums over all keys. */
  client: string;
  name: string;
  counts: Counts;
  /** Cost in USD. */
  usd: number;
  /** First day with a turn. */
  firstDay: string;
}

/** What sums are grouped by. */
export type Grouping = "day" | "model" | "client" | "client and model" | "client and session";

/**
 * Returns the sums of rows, those that cost most first; days in their order. Sums by session are those of the rows of
 * sessions, all others of the rows of models: a turn is in one row of each kind at most.
 */
export function sumBy(rows: readonly LedgerRow[], grouping: Grouping): Sum[] {
  const groups = new Map<string, { client: string; name: string; rows: LedgerRow[] }>();
  for (const row of rows) {
    if (row.by !== (grouping === "client and session" ? "session" : "model")) continue;
    const [client, name] = toGroup(row, grouping);
    const key = JSON.stringify([client, name]);
    const group = groups.get(key) ?? { client, name, rows: [] };
    group.rows.push(row);
    groups.set(key, group);
  }
  const sums = Array.from(groups.values(), (group) => toSum(group));
  return grouping === "day"
    ? sums.sort((one, other) => one.name < other.name ? -1 : 1)
    : sums.sort((one, other) => other.usd - one.usd || other.counts.turns - one.counts.turns);
}

/** Returns the sum of all rows of models. */
export function sumAll(rows: readonly LedgerRow[]): Sum {
  return toSum({ client: "", name: "", rows: rows.filter(({ by }) => by === "model") });
}

/** Returns the sum of sums, under a name. */
export function sumOf(sums: readonly Sum[], name: string): Sum {
  const counts = addCounts(sums.map((sum) => sum.counts));
  const [firstDay = ""] = sums.map((sum) => sum.firstDay).sort();
  return { client: "", name, counts, usd: costOf(counts) / BILLION, firstDay };
}

function toGroup({ day, client, name }: LedgerRow, grouping: Grouping): [client: string, name: string] {
  switch (grouping) {
    case "day":
      return ["", day];
    case "model":
      return ["", name];
    case "client":
      return [client, ""];
    case "client and model":
    case "client and session":
      return [client, name];
  }
}

function toSum({ client, name, rows }: { client: string; name: string; rows: readonly LedgerRow[] }): Sum {
  const counts = addCounts(rows.map((row) => row.counts));
  const [firstDay = ""] = rows.map(({ day }) => day).sort();
  return { client, name, counts, usd: costOf(counts) / BILLION, firstDay };
}
