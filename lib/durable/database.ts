import type { SqlRow, SqlValue } from "../runtime/sqlite.ts";

/** Statements of SQL. Parameters are `?`, or `?1`, `?2` if one is used twice. */
export interface Queries {
  /** Runs a statement and returns the number of rows that it changed. */
  run(sql: string, ...values: SqlValue[]): Promise<number>;
  /** Returns the first row, or `undefined`. */
  get(sql: string, ...values: SqlValue[]): Promise<SqlRow | undefined>;
  all(sql: string, ...values: SqlValue[]): Promise<SqlRow[]>;
}

/**
 * The database of what outlives a request: SQLite in `DATA_DIR`, or PostgreSQL at `DATA_URL`. The statements of the
 * stores are the same for both.
 */
export interface Database extends Queries {
  /** Ends of a `SELECT` whose rows others must not change meanwhile. SQLite needs none: it has one writer. */
  readonly locks: {
    /** Waits for the rows. */
    row: string;
    /** Skips rows that others have locked. */
    next: string;
  };
  /**
   * Waits within a transaction until no other one has locked the name, and locks it until the end of the transaction.
   * SQLite does nothing: it has one writer.
   */
  lock(queries: Queries, name: string): Promise<void>;
  /**
   * Runs `work` in a transaction. An error rolls it back. `work` uses only the given queries, and waits for nothing
   * else.
   */
  transaction<Result>(work: (queries: Queries) => Promise<Result>): Promise<Result>;
}
