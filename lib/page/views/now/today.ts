import { BILLION, costOf } from "../../../limits/ledger/counts.ts";
import { toDay } from "../../../limits/ledger/days.ts";
import type { Ledger } from "../../../limits/ledger/ledger.ts";
import { LOCAL } from "../../../config/gateway_keys.ts";
import { logWarning } from "../../../observability/log.ts";
import type { PageSource } from "../../source.ts";
import type { ViewCall } from "../../view.ts";

/** Cost of the current UTC day in USD, and the budget of all keys for it, if there is one. */
export interface Today {
  usd: number;
  limit: number | undefined;
}

/** What was read last. */
interface Reading {
  day: string;
  at: number;
  /** Undefined if the store did not answer. */
  today: Today | undefined;
  isReading: boolean;
}

/** Time for which a reading is shown, in milliseconds. Now is rendered each second, and a store may be remote. */
const KEPT_MS = 10_000;

const readings = new WeakMap<Ledger, Reading>();

/**
 * Returns the cost of the current day; undefined if its store does not answer. Waits only for the first reading of a
 * day.
 */
export async function readToday({ gateway, now }: ViewCall): Promise<Today | undefined> {
  const day = toDay(now);
  const known = readings.get(gateway.ledger);
  if (known?.day !== day) {
    const reading = { day, at: now, today: await read(gateway, day), isReading: false };
    readings.set(gateway.ledger, reading);
    return reading.today;
  }
  if (!known.isReading && Math.abs(now - known.at) >= KEPT_MS) {
    known.isReading = true;
    void read(gateway, day).then((today) => Object.assign(known, { at: now, today, isReading: false }));
  }
  return known.today;
}

/** Never rejects. */
async function read({ ledger, limits }: PageSource, day: string): Promise<Today | undefined> {
  try {
    const budgets = await limits.budgets([{ client: LOCAL }]);
    const total = budgets.find(({ scope, period }) => scope === "total" && period === "day");
    // The sum that requests are admitted by.
    if (total !== undefined) return { usd: total.used, limit: total.limit };
    const { rows } = await ledger.read({ from: day, to: day });
    const cost = rows.filter(({ by }) => by === "model").reduce((sum, { counts }) => sum + costOf(counts), 0);
    return { usd: cost / BILLION, limit: undefined };
  } catch (error) {
    logWarning("cost of the day not read", { error }, "limits");
    return undefined;
  }
}
