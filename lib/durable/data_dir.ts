import { quote } from "../base/redact.ts";
import { ConfigError } from "../config/parse.ts";
import { describeFileError } from "../runtime/file_errors.ts";
import { createPrivateFile, createPrivateFolder } from "../runtime/private_folder.ts";
import { type Database as Connection, NoSqliteError, openDatabase } from "../runtime/sqlite.ts";
import { createContentFolder } from "./contents/content_folder.ts";
import type { DataStore } from "./data_store.ts";
import { joinInstances } from "./instances.ts";
import { MIGRATIONS, NEWER_VERSION } from "./schema.ts";
import { describeSqliteError } from "./sqlite/sqlite_errors.ts";
import { createSqliteDatabase } from "./sqlite/sqlite_database.ts";

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
export function openDataDir(folder: string, { newId }: { newId(prefix: string): string }): DataStore {
  const path = folder.replace(/(?<=.)\/+$/, "");
  const file = `${path}/gateway.sqlite`;
  let connection: Connection | undefined;
  try {
    for (const part of [path, `${path}/files`, `${path}/gateways`]) createPrivateFolder(part);
    // The journal of a database gets the permissions of the database.
    createPrivateFile(file);
    connection = openDatabase(file);
    prepareDatabase(connection);
    const instances = joinInstances(`${path}/gateways`, { newId });
    const opened = connection;
    const database = createSqliteDatabase(connection, file);
    return {
      database,
      instances,
      sizeSql: SIZE_SQL,
      contents: createContentFolder(`${path}/files`, database),
      ready: async () => {},
      tidy: async () => void await database.all(`PRAGMA incremental_vacuum(${VACUUM_PAGES})`),
      async close() {
        instances.leave();
        opened.close();
      },
    };
  } catch (cause) {
    connection?.close();
    throw toConfigError(folder, cause);
  }
}

/** The database, and the files beside it. */
const SIZE_SQL = `(SELECT page_count FROM pragma_page_count) * (SELECT page_size FROM pragma_page_size) +
  (SELECT coalesce(sum(bytes), 0) FROM files)`;

/** Pages that are returned to the disk at once: more would hold up the requests. */
const VACUUM_PAGES = 2000;

function prepareDatabase(database: Connection): void {
  database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  // Deleted batches and answers return their space to the disk. Has an effect only before the first table.
  database.exec("PRAGMA auto_vacuum = INCREMENTAL");
  database.exec("PRAGMA journal_mode = WAL");
  database.exec("PRAGMA synchronous = NORMAL");
  database.exec("PRAGMA foreign_keys = ON");
  const { commit, rollBack } = database.begin();
  try {
    const version = Number(database.get("PRAGMA user_version")?.user_version);
    if (version > MIGRATIONS.length) throw new DataDirError(NEWER_VERSION);
    for (const sql of MIGRATIONS.slice(version)) database.exec(sql);
    database.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    commit();
  } catch (error) {
    rollBack();
    throw error;
  }
}

/** A reason why the folder cannot be used. */
class DataDirError extends Error {}

function toConfigError(folder: string, cause: unknown): ConfigError {
  const reason = cause instanceof DataDirError || cause instanceof NoSqliteError
    ? cause.message
    : describeSqliteError(cause) ?? describeFileError(cause);
  return Object.assign(new ConfigError([`Cannot use DATA_DIR ${quote(folder)}: ${reason}`]), { cause });
}
