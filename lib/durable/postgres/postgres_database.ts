import type { Sql, TransactionSql } from "postgres";
import { StoreError } from "../../base/store_error.ts";
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
      throw toStoreError(error);
    }
  }
  return {
    locks: { row: " FOR UPDATE", next: " FOR UPDATE SKIP LOCKED" },
    lock: async (queries, name) =>
      void await queries.get("SELECT pg_advisory_xact_lock(hashtextextended(?, 0))", name),
    run: (text, ...values) => withSql((sql) => toQueries(sql).run(text, ...values)),
    get: (text, ...values) => withSql((sql) => toQueries(sql).get(text, ...values)),
    all: (text, ...values) => withSql((sql) => toQueries(sql).all(text, ...values)),
    transaction: (work) => withSql(async (sql) => await sql.begin((open) => work(toQueries(open))) as never),
  };
}

function toQueries(sql: Sql | TransactionSql): Queries {
  const send = (text: string, values: SqlValue[]) =>
    sql.unsafe<SqlRow[]>(toNumbered(text), values.map(withoutNul), { prepare: true });
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

/** Replaces NUL, which PostgreSQL's text cannot have. Only an id that does not exist has it: JSON escapes it. */
function withoutNul(value: SqlValue): SqlValue {
  return typeof value === "string" ? value.replaceAll("\0", "\ufffd") : value;
}

/** Converts a failure of the server to what clients receive. Any other error, such as that of a statement, stays. */
export function toStoreError(cause: unknown): unknown {
  const code = cause instanceof Error && "code" in cause ? String(cause.code) : "";
  if (UNREACHABLE.test(code)) return StoreError.unreachable("data store", { cause });
  const reason = REASONS[code];
  return reason === undefined ? cause : StoreError.failed("data store", { reason, cause });
}

/** Codes if the connection failed, or if the server ends, starts, or has no free connection. Not wrong arguments. */
const UNREACHABLE = /^(CONNECT|E(?!RR_INVALID_)[A-Z_]+$|57P0|08|53300)/;

/** Failures of a server that is reached. Source: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const REASONS: Readonly<Record<string, string>> = {
  "25006": "its database is read-only",
  "28000": "its user is refused",
  "28P01": "its password is refused",
  "42501": "permission to use its tables is denied",
  "53100": "its disk is full",
  "53200": "its memory is full",
  "57014": `a statement took longer than ${STATEMENT_TIMEOUT_MS / 1000} s`,
  "58030": "its disk reports an error",
  "XX001": "its database is damaged",
  "XX002": "its database is damaged",
};
