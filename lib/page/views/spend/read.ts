import type { BudgetUse } from "../../../limits/budget_use.ts";
import { type DayRange, toDay } from "../../../limits/ledger/days.ts";
import type { LedgerReading } from "../../../limits/ledger/ledger.ts";
import type { LedgerRow } from "../../../limits/ledger/table.ts";
import { LOCAL } from "../../../config/gateway_keys.ts";
import { logWarning } from "../../../observability/log.ts";
import type { ViewCall } from "../../view.ts";
import { monthOf } from "./range.ts";
import type { Sum } from "./sums.ts";

/** Reads the ledger; undefined if its store cannot be reached. */
export async function readLedger(
  { gateway, now }: ViewCall,
  range: DayRange,
): Promise<LedgerReading | undefined> {
  const month = `${monthOf(toDay(now))}-01`;
  try {
    return await gateway.ledger.read({ from: range.from < month ? range.from : month, to: toDay(now) });
  } catch (error) {
    logWarning("ledger not read", { error }, "limits");
    return undefined;
  }
}

/** Reads the budgets of the keys that have spent this month, or have limits of their own. */
export async function readBudgets(
  { gateway: { limits, config }, now }: ViewCall,
  { rows, session }: { rows: readonly LedgerRow[]; session: Sum | undefined },
): Promise<readonly BudgetUse[] | undefined> {
  const month = monthOf(toDay(now));
  const spenders = rows.filter(({ day }) => monthOf(day) === month).map(({ client }) => client);
  const clients = new Set([...config.limits.keys.keys(), ...spenders]);
  // Without a key, the budget of all keys together is still one.
  if (clients.size === 0) clients.add(LOCAL);
  try {
    return await limits.budgets([
      ...Array.from(clients, (client) => ({ client })),
      ...(session === undefined ? [] : [{ client: session.client, sessionId: session.name }]),
    ]);
  } catch (error) {
    logWarning("budgets not read", { error }, "limits");
    return undefined;
  }
}
