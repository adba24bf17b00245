import { toLabel } from "../../observability/label.ts";
import { toCounts, type TurnUse } from "./counts.ts";
import { toDay } from "./days.ts";
import type { LedgerRow } from "./table.ts";

/** A turn of a client's request. */
export interface LedgerEntry extends TurnUse {
  /** Name of the client's key. */
  client: string;
  sessionId?: string | undefined;
  /** Upstream and model, such as `openrouter/openai/gpt-5`. */
  model: string;
  /** True for the first turn of the request. */
  isFirst: boolean;
}

/**
 * Returns the rows that a turn adds to: of its model, and of its session if it has one. Clients choose both names:
 * credentials in them are redacted.
 */
export function toRows(
  { client, sessionId, model, isFirst, tokens, cost, usd }: LedgerEntry,
  now: number,
): LedgerRow[] {
  const day = toDay(now);
  const counts = toCounts({ tokens, cost, usd }, { isFirst, now });
  const rows: LedgerRow[] = [{ day, by: "model", client, name: toLabel(model), counts }];
  if (sessionId !== undefined) rows.push({ day, by: "session", client, name: toLabel(sessionId), counts });
  return rows;
}
