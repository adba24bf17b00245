import type { SqlRow } from "../runtime/sqlite.ts";
import type { DataDir } from "./data_dir.ts";

/** A file of a client. Times are milliseconds since 1970. */
export interface StoredFile {
  /** Order of creation. */
  number: number;
  id: string;
  filename: string;
  mimeType: string;
  sizeBytes: number;
  createdAt: number;
  expiresAt: number | undefined;
}

/** Page of a list of files, newest first. */
export interface FilePageQuery {
  limit: number;
  /** Only these ids; all if undefined. */
  ids?: readonly string[] | undefined;
  /** Only files that are older than the one of this number. */
  before?: number | undefined;
  afterId?: string | undefined;
  beforeId?: string | undefined;
}

/** Descriptions of the files in `DATA_DIR`. Their content is in the folder `files`, by their ids. */
export interface FileStore {
  /** Path of the content of a file. */
  toPath(id: string): string;
  add(owner: string, file: Omit<StoredFile, "number">): void;
  /** Returns a file of an owner, also for a day after it has expired. */
  find(owner: string, id: string): StoredFile | undefined;
  /** Lists the files of an owner that have not expired. */
  list(owner: string, page: FilePageQuery, now: number): { files: StoredFile[]; hasMore: boolean };
  /** Removes the description of a file. */
  remove(owner: string, id: string): void;
  /** Returns files whose content is to be removed because they have expired, and forgets those of the day before. */
  takeExpired(now: number): string[];
  has(id: string): boolean;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Creates the store of the files in an open `DATA_DIR`. */
export function createFileStore({ database, files: folder }: DataDir): FileStore {
  const numberOf = (owner: string, id: string | undefined) =>
    id === undefined
      ? undefined
      : Number(database.get("SELECT number FROM files WHERE id = ? AND owner = ?", id, owner)?.number ?? 0);

  return {
    toPath: (id) => `${folder}/${id}`,
    add(owner, { id, filename, mimeType, sizeBytes, createdAt, expiresAt }) {
      database.run(
        "INSERT INTO files (id, owner, filename, mime_type, bytes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
        id,
        owner,
        filename,
        mimeType,
        sizeBytes,
        createdAt,
        expiresAt ?? null,
      );
    },
    find(owner, id) {
      const row = database.get("SELECT * FROM files WHERE id = ? AND owner = ?", id, owner);
      return row && toFile(row);
    },
    list(owner, { limit, ids, before, afterId, beforeId }, now) {
      const newer = numberOf(owner, beforeId);
      const older = before ?? numberOf(owner, afterId) ?? Number.MAX_SAFE_INTEGER;
      const rows = database.all(
        `SELECT * FROM files WHERE owner = ? AND (expires_at IS NULL OR expires_at > ?)
          AND (? IS NULL OR id IN (SELECT value FROM json_each(?)))
          AND ${
          newer === undefined ? "number < ? ORDER BY number DESC" : "number > ? ORDER BY number"
        } LIMIT ?`,
        owner,
        now,
        ids === undefined ? null : 1,
        JSON.stringify(ids ?? []),
        newer ?? older,
        limit + 1,
      );
      const shown = rows.slice(0, limit).map(toFile);
      return { files: newer === undefined ? shown : shown.reverse(), hasMore: rows.length > limit };
    },
    remove: (owner, id) => void database.run("DELETE FROM files WHERE id = ? AND owner = ?", id, owner),
    takeExpired(now) {
      database.run("DELETE FROM files WHERE expires_at < ? AND bytes = 0", now - DAY_MS);
      const rows = database.all("SELECT id FROM files WHERE expires_at <= ? AND bytes > 0 LIMIT 100", now);
      for (const { id } of rows) database.run("UPDATE files SET bytes = 0 WHERE id = ?", String(id));
      return rows.map(({ id }) => String(id));
    },
    has: (id) => database.get("SELECT 1 FROM files WHERE id = ?", id) !== undefined,
  };
}

function toFile(row: SqlRow): StoredFile {
  return {
    number: Number(row.number),
    id: String(row.id),
    filename: String(row.filename),
    mimeType: String(row.mime_type),
    sizeBytes: Number(row.bytes),
    createdAt: Number(row.created_at),
    expiresAt: row.expires_at === null ? undefined : Number(row.expires_at),
  };
}
