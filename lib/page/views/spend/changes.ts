import type { LedgerRow } from "../../../limits/ledger/table.ts";
import { formatPercent } from "../../elements/format.ts";
import { type Sum, sumBy } from "./sums.ts";
import { dayName } from "./range.ts";

/** How the cost of a key's model changed from one range of days to the next. Costs are in USD. */
export interface Change {
  client: string;
  model: string;
  before: number;
  now: number;
  /** Why, as far as the counts show it: `new since 25 November`, `41% more turns`. */
  why: string;
}

/** Changes below which a row is left out, in USD: they are rounded to nothing. */
const MIN_CHANGE_USD = 0.005;
/** Change of a number that is named as a reason. */
const MIN_REASON = 0.1;

/** Returns what changed, the greatest change first. */
export function toChanges(before: readonly LedgerRow[], now: readonly LedgerRow[]): Change[] {
  const toKey = ({ client, name }: Sum) => JSON.stringify([client, name]);
  const earlier = new Map(sumBy(before, "client and model").map((sum) => [toKey(sum), sum]));
  const later = new Map(sumBy(now, "client and model").map((sum) => [toKey(sum), sum]));
  const changes = [...new Set([...earlier.keys(), ...later.keys()])].flatMap((key): Change[] => {
    const [one, other] = [earlier.get(key), later.get(key)];
    const { client, name: model } = other ?? one ?? { client: "", name: "" };
    return [{ client, model, before: one?.usd ?? 0, now: other?.usd ?? 0, why: toReason(one, other) }];
  });
  return changes.filter((change) => Math.abs(change.now - change.before) >= MIN_CHANGE_USD)
    .sort((one, other) => Math.abs(other.now - other.before) - Math.abs(one.now - one.before));
}

function toReason(before: Sum | undefined, now: Sum | undefined): string {
  if (now === undefined) return "not used any more";
  if (before === undefined) return `new since ${dayName(now.firstDay)}`;
  const turns = now.counts.turns / before.counts.turns - 1;
  const perTurn = before.usd === 0 ? 0 : now.usd / now.counts.turns / (before.usd / before.counts.turns) - 1;
  const parts = [
    Math.abs(turns) >= MIN_REASON && `${formatShift(turns)} turns`,
    Math.abs(perTurn) >= MIN_REASON && `a turn costs ${formatShift(perTurn)}`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}

/** Returns `41% more`, `30% less`, `3.2 times as many`… as a share of the number before. */
function formatShift(change: number): string {
  return `${formatPercent(Math.abs(change))} ${change < 0 ? "less" : "more"}`;
}
