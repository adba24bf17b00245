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

/** Batches and their requests. The index of open requests stays small. */
const BATCH_TABLES = `
  CREATE TABLE batches (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    caller TEXT NOT NULL,
    instance TEXT NOT NULL,
    status TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    cancel_initiated_at INTEGER,
    archived_at INTEGER,
    bytes INTEGER NOT NULL DEFAULT 0,
    processing INTEGER NOT NULL DEFAULT 0,
    succeeded INTEGER NOT NULL DEFAULT 0,
    errored INTEGER NOT NULL DEFAULT 0,
    canceled INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0
  );
  CREATE INDEX batches_by_owner ON batches (owner, number);
  CREATE INDEX batches_open ON batches (status) WHERE status <> 'ended';
  CREATE TABLE batch_items (
    batch INTEGER NOT NULL,
    nth INTEGER NOT NULL,
    custom_id TEXT NOT NULL,
    state TEXT NOT NULL,
    instance TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER NOT NULL DEFAULT 0,
    params TEXT,
    result TEXT,
    PRIMARY KEY (batch, nth),
    UNIQUE (batch, custom_id)
  );
  CREATE INDEX batch_items_pending ON batch_items (batch, nth) WHERE state = 'pending';
  CREATE INDEX batch_items_running ON batch_items (instance) WHERE state = 'running';
`;

/** Descriptions of files. The content of a file that has expired is removed: it then has 0 bytes. */
const FILE_TABLES = `
  CREATE TABLE files (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    owner TEXT NOT NULL,
    filename TEXT NOT NULL,
    mime_type TEXT NOT NULL,
    bytes INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
  );
  CREATE INDEX files_by_owner ON files (owner, number);
  CREATE INDEX files_by_expiry ON files (expires_at) WHERE expires_at IS NOT NULL;
`;

/** The content of files, for databases that keep it. */
const CONTENT_TABLES = `
  CREATE TABLE file_pieces (
    file TEXT NOT NULL,
    nth INTEGER NOT NULL,
    written_at INTEGER NOT NULL,
    bytes BLOB NOT NULL,
    PRIMARY KEY (file, nth)
  );
`;

/** The work that an engine does: answers whose request it reads, and how often they were begun. */
const ENGINE_TABLES = `
  ALTER TABLE answers ADD COLUMN round INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE answers ADD COLUMN attempt INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE answers ADD COLUMN request TEXT;
`;

/**
 * Statements that create the tables of the database, in the order in which they were added. A released entry is never
 * changed: a database has the number of the entries that were applied to it.
 *
 * Times are milliseconds since 1970.
 */
export const MIGRATIONS: readonly string[] = [
  ANSWER_TABLES,
  BATCH_TABLES,
  FILE_TABLES,
  CONTENT_TABLES,
  ENGINE_TABLES,
];

/** Why a database cannot be used that has more entries than {@linkcode MIGRATIONS}. */
export const NEWER_VERSION = "its database was written by a newer version of the gateway";

/**
 * Returns statements of {@linkcode MIGRATIONS} with PostgreSQL's types.
 *
 * @example Usage
 * ```ts
 * import { toPostgres } from "./schema.ts";
 *
 * if (toPostgres("a INTEGER, b BLOB") !== "a BIGINT, b BYTEA") throw new Error("not converted");
 * ```
 */
export function toPostgres(sql: string): string {
  return sql
    .replaceAll("INTEGER PRIMARY KEY AUTOINCREMENT", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY")
    .replaceAll("INTEGER", "BIGINT")
    .replaceAll("BLOB", "BYTEA");
}
