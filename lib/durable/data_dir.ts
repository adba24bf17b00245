import { quote } from "../base/redact.ts";
import { ConfigError } from "../config/parse.ts";
import { describeFileError } from "../runtime/file_errors.ts";
import { createPrivateFile, createPrivateFolder } from "../runtime/private_folder.ts";
import { type Database, NoSqliteError, openDatabase } from "../runtime/sqlite.ts";
import { type Instances, joinInstances } from "./instances.ts";
import { MIGRATIONS } from "./schema.ts";

/** The opened `DATA_DIR`: what outlives a request. Several gateways of one machine may share it. */
export interface DataDir {
  readonly database: Database;
  /** The gateways that share the folder. */
  readonly instances: Instances;
  /** Path of the folder for the content of files. */
  readonly files: string;
  /** Closes the database. What this gateway has begun and not ended is then free for others. */
  close(): void;
}

/** Time that a write waits for the write of another gateway, in milliseconds. */
const BUSY_TIMEOUT_MS = 5000;

/**
 * Opens `DATA_DIR`, and creates the folder and its database if they are missing. Only the account of the program can
 * read what it creates.
 *
 * A commit survives the end of the process at once, and a power failure after SQLite's next checkpoint.
 *
 * @throws {ConfigError} if the folder cannot be used, or if the runtime has no SQLite.
 */
export function openDataDir(folder: string, { newId }: { newId(prefix: string): string }): DataDir {
  const path = folder.replace(/(?<=.)\/+$/, "");
  const file = `${path}/gateway.sqlite`;
  let database: Database | undefined;
  try {
    for (const part of [path, `${path}/files`, `${path}/gateways`]) createPrivateFolder(part);
    // The journal of a database gets the permissions of the database.
    createPrivateFile(file);
    database = openDatabase(file);
    prepareDatabase(database);
    const instances = joinInstances(`${path}/gateways`, { newId });
    const opened = database;
    return {
      database,
      instances,
      files: `${path}/files`,
      close() {
        instances.leave();
        opened.close();
      },
    };
  } catch (cause) {
    database?.close();
    throw toConfigError(folder, cause);
  }
}

function prepareDatabase(database: Database): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // Deleted batches and answers return their space to the disk. Has an effect only before the first table.
  database.exec("PRAGMA auto_vacuum = INCREMENTAL");
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec("PRAGMA foreign_keys = ON");
  database.transaction(() => {
    const version = Number(database.get("PRAGMA user_version")?.user_version);
    if (version > MIGRATIONS.length) {
      throw new DataDirError("its database was written by a newer version of the gateway");
    }
    for (const sql of MIGRATIONS.slice(version)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
  });
}

/** A reason why the folder cannot be used. */
class DataDirError extends Error {}

function toConfigError(folder: string, cause: unknown): ConfigError {
  const reason = cause instanceof DataDirError || cause instanceof NoSqliteError
    ? cause.message
    : describeDatabaseError(cause);
  return Object.assign(new ConfigError([`Cannot use DATA_DIR ${quote(folder)}: ${reason}`]), { cause });
}

/** Returns the reason of an error of SQLite or of the file system, without a path. */
export function describeDatabaseError(error: unknown): string {
  const known = SQLITE_REASONS.find(([words]) => words.test(error instanceof Error ? error.message : ""));
  return known?.[1] ?? describeFileError(error);
}

const SQLITE_REASONS: readonly [words: RegExp, reason: string][] = [
  [/not a database|malformed/i, "its gateway.sqlite is damaged; restore or remove it"],
  [/readonly|read-only/i, "permission to write its gateway.sqlite is denied"],
  [/unable to open/i, "permission to read and write its gateway.sqlite is denied"],
  [/database is locked/i, "another program has locked its gateway.sqlite"],
  [/full/i, "its file system is full"],
];
