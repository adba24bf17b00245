/** Answers under an idempotency key, the pieces of their bodies, and the recorded steps of turns. */
const ANSWER_TABLES = `
  CREATE TABLE answers (
    id TEXT PRIMARY KEY,
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    state TEXT NOT NULL,
    instance TEXT NOT NULL,
    status INTEGER,
    headers TEXT,
    bytes INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    UNIQUE (owner, key)
  );
  CREATE INDEX answers_by_time ON answers (created_at);
  CREATE TABLE answer_pieces (
    answer TEXT NOT NULL REFERENCES answers (id) ON DELETE CASCADE,
    nth INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (answer, nth)
  );
  CREATE TABLE steps (
    run TEXT NOT NULL,
    name TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (run, name)
  );
`;

/**
 * Statements that create the tables of the database in `DATA_DIR`, in the order in which they were added. A released
 * entry is never changed: a database has the number of the entries that were applied to it.
 *
 * Times are milliseconds since 1970.
 */
export const MIGRATIONS: readonly string[] = [ANSWER_TABLES];
