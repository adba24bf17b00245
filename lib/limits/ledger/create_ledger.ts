import type { Config } from "../../config/settings.ts";
import type { Clock } from "../../runtime/clock.ts";
import { createFileLedger } from "./file_ledger.ts";
import type { Ledger } from "./ledger.ts";
import { createMemoryLedger } from "./memory_ledger.ts";
import { createRedisLedger } from "./redis_ledger.ts";
import { createStoredLedger } from "./stored_ledger.ts";

/** Creates the ledger of the settings: in the store of the limits, or else in the folder for state. */
export function createLedger(
  { rateLimitStore, stateDir }: Pick<Config, "rateLimitStore" | "stateDir">,
  { clock, newId }: { clock: Clock; newId(prefix: string): string },
): Ledger {
  if (rateLimitStore !== "memory") {
    return createStoredLedger(createRedisLedger(rateLimitStore, { clock }), { clock, newId });
  }
  return stateDir === undefined
    ? createMemoryLedger({ clock })
    : createStoredLedger(createFileLedger(stateDir), { clock, newId });
}
