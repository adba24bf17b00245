import type { Sql, TransactionSql } from "postgres";
import { quote } from "../../base/redact.ts";
import { ConfigError } from "../../config/parse.ts";
import { logWarning } from "../../observability/log.ts";
import type { Clock } from "../../runtime/clock.ts";
import { createContentRows } from "../contents/content_rows.ts";
import type { DataStore } from "../data_store.ts";
import { connectPostgres, createPostgresDatabase, SCHEMA, toStoreError } from "./postgres_database.ts";
import { MIGRATIONS, NEWER_VERSION, toPostgres } from "../schema.ts";
import { joinSessions } from "./session_instances.ts";

/** Key of the advisory lock under which one gateway at a time creates the tables. */
const MIGRATION_LOCK = "7211938340913215";

/**
 * Opens the PostgreSQL database at `DATA_URL`. The connection is made with the first use, and again after a failure;
 * the tables are created in a schema of the gateway if they are missing.
 */
export function openDataUrl(url: string, { clock }: { clock: Clock }): DataStore {
  let pool: Promise<Sql> | undefined;
  let prepared: Promise<void> | undefined;
  let isDown = false;
  const instances = joinSessions(url, { clock });

  async function connect(): Promise<Sql> {
    pool ??= connectPostgres(url);
    try {
      return await pool;
    } catch (error) {
      pool = undefined; // there is no connection to close
      throw error;
    }
  }

  async function prepare(): Promise<void> {
    const sql = await connect();
    await sql.begin(migrate);
    await instances.ready();
    isDown = false;
  }

  /** Logs the first of several failures. */
  function logFailure(error: unknown): void {
    if (!isDown) logWarning("DATA_URL cannot be used", { error });
    isDown = true;
  }

  /** Prepares the database once. A failure is tried again by the next use. */
  async function whenReady(): Promise<Sql> {
    prepared ??= prepare();
    const attempt = prepared;
    try {
      await attempt;
    } catch (error) {
      if (prepared === attempt) prepared = undefined;
      logFailure(error);
      throw toStoreError(error);
    }
    return await connect();
  }

  const database = createPostgresDatabase(whenReady);
  return {
    database,
    instances,
    sizeSql: `(SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relkind = 'r'
      AND relnamespace = '${SCHEMA}'::regnamespace)`,
    contents: createContentRows(database, clock),
    async ready() {
      try {
        await whenReady();
      } catch (cause) {
        throw toConfigError(url, cause);
      }
    },
    tidy: async () => {}, // PostgreSQL does it by itself
    async close() {
      await instances.leave();
      await (await pool)?.end({ timeout: 1 });
    },
  };
}

/** Applies the missing migrations. */
async function migrate(sql: TransactionSql): Promise<void> {
  await sql.unsafe("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
  const [found] = await sql.unsafe("SELECT 1 FROM pg_namespace WHERE nspname = $1", [SCHEMA]);
  if (found === undefined) await sql.unsafe(`CREATE SCHEMA ${SCHEMA}`);
  await sql.unsafe("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT NOT NULL)");
  const [row] = await sql.unsafe("SELECT version FROM schema_version");
  const version = Number(row?.version ?? 0);
  if (version > MIGRATIONS.length) throw new Error(NEWER_VERSION);
  if (version === MIGRATIONS.length) return;
  for (const migration of MIGRATIONS.slice(version)) await sql.unsafe(toPostgres(migration));
  await sql.unsafe("DELETE FROM schema_version");
  await sql.unsafe("INSERT INTO schema_version VALUES ($1)", [MIGRATIONS.length]);
}

/** Names the database without its user and password. */
function toConfigError(url: string, cause: unknown): ConfigError {
  const { protocol, host, pathname } = new URL(url);
  const error = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  const reason = error instanceof Error ? error.message : String(error);
  const shown = quote(`${protocol}//${host}${pathname}`);
  return Object.assign(new ConfigError([`Cannot use DATA_URL ${shown}: ${reason}`]), { cause });
}
