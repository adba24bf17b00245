// Global of Bun, undefined on other runtimes.
declare const Bun: unknown;

/** A value that a statement accepts. */
export type SqlValue = string | number | null | Uint8Array;

/** A row of a result, by the names of its columns. */
export type SqlRow = Readonly<Record<string, unknown>>;

/** A database of SQLite. All calls are synchronous. Statements are prepared once. */
export interface Database {
  /** Runs statements without parameters and results. */
  exec(sql: string): void;
  /** Runs a statement and returns the number of rows that it changed. */
  run(sql: string, ...values: SqlValue[]): number;
  /** Returns the first row, or `undefined`. */
  get(sql: string, ...values: SqlValue[]): SqlRow | undefined;
  all(sql: string, ...values: SqlValue[]): SqlRow[];
  /** Begins a transaction that has the write lock from its start. */
  begin(): Transaction;
  close(): void;
}

/** An open transaction. */
export interface Transaction {
  commit(): void;
  rollBack(): void;
}

/** Thrown if the runtime has no SQLite module. The message names the runtime and what has one. */
export class NoSqliteError extends Error {
  override name = "NoSqliteError";
}

/** The part of a statement that `node:sqlite` and `bun:sqlite` have in common. */
interface Statement {
  run(...values: SqlValue[]): { changes: number | bigint };
  get(...values: SqlValue[]): SqlRow | null | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): Statement;
  close(): void;
}

type OpenConnection = new (path: string) => Connection;

/**
 * Opens a database with the runtime's own module, and creates its file if it is missing: `node:sqlite` on Node.js and
 * Deno, `bun:sqlite` on Bun.
 *
 * @throws {NoSqliteError} on Node.js before 22.13, and on runtimes without files.
 * @throws the module's error if the file cannot be opened.
 *
 * @example Usage
 * ```ts ignore
 * import { openDatabase } from "./sqlite.ts";
 *
 * const database = openDatabase("/srv/data/gateway.sqlite");
 * database.exec("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
 * database.run("INSERT INTO notes VALUES (?)", "hello");
 * database.close();
 * ```
 */
export function openDatabase(path: string): Database {
  const connection = new (loadModule())(path);
  const statements = new Map<string, Statement>();
  const prepare = (sql: string) => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, statement = connection.prepare(sql));
    return statement;
  };
  return {
    exec: (sql) => void connection.exec(sql),
    run: (sql, ...values) => Number(prepare(sql).run(...values).changes),
    get: (sql, ...values) => prepare(sql).get(...values) ?? undefined,
    all: (sql, ...values) => prepare(sql).all(...values),
    begin() {
      connection.exec("BEGIN IMMEDIATE");
      return {
        commit: () => void connection.exec("COMMIT"),
        rollBack: () => rollBack(connection),
      };
    },
    close() {
      statements.clear();
      connection.close();
    },
  };
}

/** Ends a failed transaction. SQLite ends some by itself, such as one that filled the disk. */
function rollBack(connection: Connection): void {
  try {
    connection.exec("ROLLBACK");
  } catch (error) {
    if (!String(error).includes("no transaction is active")) throw error;
  }
}

function loadModule(): OpenConnection {
  const load: ((name: string) => unknown) | undefined = globalThis.process?.getBuiltinModule;
  if (typeof Bun !== "undefined") {
    const sqlite = load?.("bun:sqlite") as { Database: OpenConnection } | undefined;
    if (sqlite !== undefined) return sqlite.Database;
  }
  const sqlite = load?.("node:sqlite") as { DatabaseSync: OpenConnection } | undefined;
  if (sqlite !== undefined) return sqlite.DatabaseSync;
  const node = globalThis.process?.versions?.node;
  throw new NoSqliteError(
    `${
      node === undefined ? "this runtime" : `Node ${node}`
    } has no SQLite; Node 22 (22.13), Deno and Bun have`,
  );
}
