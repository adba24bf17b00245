/**
 * Returns the reason of a failure of SQLite in `DATA_DIR`, without a path. Returns `undefined` for any other error,
 * such as that of a wrong statement.
 *
 * @example Usage
 * ```ts
 * import { describeSqliteError } from "./sqlite_errors.ts";
 *
 * const reason = describeSqliteError(new Error("database or disk is full"));
 * if (reason !== "its file system is full") throw new Error(reason);
 * ```
 */
export function describeSqliteError(error: unknown): string | undefined {
  const message = error instanceof Error ? error.message : "";
  return REASONS.find(([words]) => words.test(message))?.[1];
}

/** Messages of SQLite, which are the same on all runtimes. Source: https://sqlite.org/rescode.html */
const REASONS: readonly [words: RegExp, reason: string][] = [
  [
    /not a database|disk image is malformed|malformed database schema/i,
    "its gateway.sqlite is damaged; restore or remove it",
  ],
  [/readonly|read-only/i, "permission to write its gateway.sqlite is denied"],
  [/unable to open/i, "permission to read and write its gateway.sqlite is denied"],
  [/database is locked/i, "another program has locked its gateway.sqlite"],
  [/disk is full/i, "its file system is full"],
  [/disk I\/O error/i, "its disk reports an error"],
];
