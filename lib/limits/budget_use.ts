import type { Charge } from "./quota.ts";

/** Use of a budget in its current period. Amounts are in USD. */
export interface BudgetUse {
  /** What the budget applies to: a key by its name, a session, or all keys together. */
  scope: "key" | "session" | "total";
  /** Name of the key; of the session's key for a session. Empty for all keys. */
  client: string;
  period: "day" | "month";
  used: number;
  limit: number;
  /** End of the period, in milliseconds since 1970. */
  until: number;
}

/** Returns the use of the budgets among charges; `clients` has the names of their keys. */
export function toBudgetUse(
  charges: readonly Charge[],
  used: readonly number[],
  clients: readonly string[],
): BudgetUse[] {
  return charges.flatMap(({ quota }, at): BudgetUse[] => {
    if (quota.kind !== "budget") return [];
    const scope = quota.subject.kind === "gateway" ? "total" : quota.subject.kind;
    return [{
      scope,
      client: scope === "total" ? "" : clients[at] ?? "",
      period: quota.metric === "usd_day" ? "day" : "month",
      used: used[at] ?? 0,
      limit: quota.limit,
      until: quota.until,
    }];
  });
}
