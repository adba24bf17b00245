import type { Sql, TransactionSql } from "postgres";
import { ApiError } from "../../base/errors.ts";
import type { SqlRow, SqlValue } from "../../runtime/sqlite.ts";
import type { Database, Queries } from "../database.ts";

/** Connections of one gateway. */
const MAX_CONNECTIONS = 10;

/** Time in which a connection must be made, in seconds, and a statement must end, in milliseconds. */
const CONNECT_TIMEOUT_S = 5;
const STATEMENT_TIMEOUT_MS = 30_000;

/** Time after which an idle connection of a pool is closed, in seconds. */
const IDLE_TIMEOUT_S = 60;

/** Name of the schema that holds the gateway's tables. */
export const SCHEMA = "openrouter_anthropic_server";

/** Options of {@linkcode connectPostgres}. */
export interface ConnectOptions {
  max?: number;
  /** Called when a connection ends. */
  onclose?: () => void;
}

/** Creates a pool of connections, which are made when they are needed. */
export async function connectPostgres(
  url: string,
  { max = MAX_CONNECTIONS, onclose }: ConnectOptions = {},
): Promise<Sql> {
  const { default: postgres } = await import("postgres");
  return postgres(url, {
    max,
    connect_timeout: CONNECT_TIMEOUT_S,
    fetch_types: false,
    max_lifetime: null,
    idle_timeout: max === 1 ? 0 : IDLE_TIMEOUT_S,
    onnotice: () => {},
    ...(onclose !== undefined && { onclose }),
    connection: {
      application_name: SCHEMA,
      search_path: SCHEMA,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      idle_in_transaction_session_timeout: STATEMENT_TIMEOUT_MS,
      // The server notices within 20 seconds that a machine is gone, and frees what its gateways hold.
      tcp_keepalives_idle: 5,
      tcp_keepalives_interval: 5,
      tcp_keepalives_count: 3,
    } as Record<string, string | number>,
  });
}

/** Creates a database of the pool that `connect` returns. */
export function createPostgresDatabase(connect: () => Promise<Sql>): Database {
  async function withSql<Result>(work: (sql: Sql) => Promise<Result>): Promise<Result> {
    const sql = await connect();
    try {
      return await work(sql);
    } catch (error) {
      throw isUnreachable(error) ? unreachableError(error) : error;
    }
  }
  return {
    locks: { row: " FOR UPDATE", next: " FOR UPDATE SKIP LOCKED" },
    run: (text, ...values) => withSql((sql) => toQueries(sql).run(text, ...values)),
    get: (text, ...values) => withSql((sql) => toQueries(sql).get(text, ...values)),
    all: (text, ...values) => withSql((sql) => toQueries(sql).all(text, ...values)),
    transaction: (work) => withSql(async (sql) => await sql.begin((open) => work(toQueries(open))) as never),
  };
}

function toQueries(sql: Sql | TransactionSql): Queries {
  const send = (text: string, values: SqlValue[]) =>
    sql.unsafe<SqlRow[]>(toNumbered(text), values, { prepare: true });
  return {
    run: async (text, ...values) => (await send(text, values)).count,
    get: async (text, ...values) => (await send(text, values))[0],
    all: async (text, ...values) => [...await send(text, values)],
  };
}

/**
 * Returns a statement with PostgreSQL's parameters, `$1`, instead of `?` and `?1`.
 *
 * @example Usage
 * ```ts
 * import { toNumbered } from "./postgres_database.ts";
 *
 * if (toNumbered("a = ? AND b = ?") !== "a = $1 AND b = $2") throw new Error("not numbered");
 * if (toNumbered("a = ?1 AND b = ?1") !== "a = $1 AND b = $1") throw new Error("not kept");
 * ```
 */
export function toNumbered(text: string): string {
  let count = 0;
  return text.replace(/\?(\d*)/g, (_all, number: string) => `$${number || ++count}`);
}

/** Converts a failure of the connection to what clients receive, and repeat. */
export function unreachableError(cause: unknown): ApiError {
  const message = "Cannot accept the request: the data store is unreachable";
  return new ApiError("overloaded_error", message, { retryAfter: "5", cause });
}

/** True if the connection failed, or if the server ends, starts, or has no free connection. */
export function isUnreachable(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  return /^(CONNECT|E[A-Z_]+$|57P0|08|53300)/.test(code);
}
