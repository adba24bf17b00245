import type { SqlRow } from "../runtime/sqlite.ts";
import type { DataStore } from "./data_store.ts";
import type { DiskUsage } from "./usage.ts";

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

/** Descriptions of files. Their content is kept beside them, by their ids. */
export interface FileStore {
  /** Adds a file. @throws {ApiError} `invalid_request_error` if the quota of the owner does not leave its bytes. */
  add(owner: string, file: Omit<StoredFile, "number">): Promise<void>;
  /** Returns a file of an owner, also for a day after it has expired. */
  find(owner: string, id: string): Promise<StoredFile | undefined>;
  /** Lists the files of an owner that have not expired. */
  list(owner: string, page: FilePageQuery, now: number): Promise<{ files: StoredFile[]; hasMore: boolean }>;
  /** Removes the description of a file. */
  remove(owner: string, id: string): Promise<void>;
  /** Returns files that have expired and whose content must be removed, and forgets those of the day before. */
  takeExpired(now: number): Promise<string[]>;
}

const DAY_MS = 24 * 60 * 60 * 1000;

/** Creates the store of the files. */
export function createFileStore({ database }: Pick<DataStore, "database">, usage: DiskUsage): FileStore {
  const numberOf = async (owner: string, id: string | undefined) => {
    if (id === undefined) return undefined;
    const row = await database.get("SELECT number FROM files WHERE id = ? AND owner = ?", id, owner);
    return Number(row?.number ?? 0);
  };

  return {
    async add(owner, { id, filename, mimeType, sizeBytes, createdAt, expiresAt }) {
      await database.transaction(async (queries) => {
        await usage.take(queries, owner, sizeBytes);
        await queries.run(
          "INSERT INTO files (id, owner, filename, mime_type, bytes, created_at, expires_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
          id,
          owner,
          filename,
          mimeType,
          sizeBytes,
          createdAt,
          expiresAt ?? null,
        );
      });
    },
    async find(owner, id) {
      const row = await database.get("SELECT * FROM files WHERE id = ? AND owner = ?", id, owner);
      return row && toFile(row);
    },
    async list(owner, { limit, ids, before, afterId, beforeId }, now) {
      const newer = await numberOf(owner, beforeId);
      const older = before ?? await numberOf(owner, afterId) ?? Number.MAX_SAFE_INTEGER;
      const order = newer === undefined ? "number < ? ORDER BY number DESC" : "number > ? ORDER BY number";
      const rows = await database.all(
        `SELECT * FROM files WHERE owner = ? AND (expires_at IS NULL OR expires_at > ?)
          AND (? = 1 OR ? LIKE '%"' || id || '"%') AND ${order} LIMIT ?`,
        owner,
        now,
        ids === undefined ? 1 : 0,
        JSON.stringify(ids ?? []),
        newer ?? older,
        limit + 1,
      );
      const shown = rows.slice(0, limit).map(toFile);
      return { files: newer === undefined ? shown : shown.reverse(), hasMore: rows.length > limit };
    },
    remove: async (owner, id) =>
      void await database.run("DELETE FROM files WHERE id = ? AND owner = ?", id, owner),
    async takeExpired(now) {
      await database.run("DELETE FROM files WHERE expires_at < ? AND bytes = 0", now - DAY_MS);
      const rows = await database.all(
        "SELECT id FROM files WHERE expires_at <= ? AND bytes > 0 LIMIT 100",
        now,
      );
      for (const { id } of rows) await database.run("UPDATE files SET bytes = 0 WHERE id = ?", String(id));
      return rows.map(({ id }) => String(id));
    },
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
