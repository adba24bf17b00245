import type { Sql } from "postgres";
import type { Clock } from "../../runtime/clock.ts";
import { connectPostgres } from "./postgres_database.ts";
import type { Instances } from "../instances.ts";

/** The gateways that share a database. */
export interface SessionInstances extends Instances {
  /** Settles when this gateway holds its lock. */
  ready(): Promise<void>;
  /** Ends the membership. */
  leave(): Promise<void>;
}

/** Time between two attempts to take the lock again after its connection has ended, in milliseconds. */
const RETRY_MS = 1000;

/**
 * Joins the gateways that share a PostgreSQL database.
 *
 * Each gateway holds an advisory lock by one connection for its lifetime. The server releases it when the connection
 * ends: at once after the end of the process, within 20 seconds after the end of its machine.
 */
export function joinSessions(url: string, { clock }: { clock: Clock }): SessionInstances {
  const own = newLock();
  let connection: Sql | undefined;
  let cancelRetry: (() => void) | undefined;
  let left = false;

  function retry(): void {
    if (left || connection === undefined || cancelRetry !== undefined) return;
    cancelRetry = clock.after(RETRY_MS, () => {
      cancelRetry = undefined;
      if (!left) void hold().catch(retry);
    });
  }

  async function hold(): Promise<void> {
    connection ??= await connectPostgres(url, { max: 1, onclose: retry });
    await connection.unsafe("SELECT pg_advisory_lock($1)", [own]);
  }

  return {
    own,
    ready: hold,
    isAlive: async (id, queries) => id === own || await queries.get(IS_LOCKED, id) !== undefined,
    async leave() {
      left = true;
      cancelRetry?.();
      await connection?.end({ timeout: 1 });
    },
  };
}

const IS_LOCKED = `SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND granted
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND (classid::bigint << 32) | objid::bigint = CAST(? AS bigint)`;

/** Returns a positive number of 63 bits that no other gateway has, in decimal. */
function newLock(): string {
  const [high = 0, low = 0] = crypto.getRandomValues(new Uint32Array(2));
  return String((BigInt(high >>> 1) << 32n) | BigInt(low));
}
