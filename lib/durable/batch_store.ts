import type { SqlRow } from "../runtime/sqlite.ts";
import { logWarning } from "../observability/log.ts";
import type { DataStore } from "./data_store.ts";
import type { DiskUsage } from "./usage.ts";

/** Outcome of a request of a batch. */
export type ItemOutcome = "succeeded" | "errored" | "canceled" | "expired";

/** Numbers of requests of a batch, by their state. */
export type RequestCounts = Readonly<Record<"processing" | ItemOutcome, number>>;

/** A batch, without its requests. Times are milliseconds since 1970. */
export interface Batch {
  /** Order of creation. */
  number: number;
  id: string;
  owner: string;
  /** The caller and the headers of its items, as JSON, without a key. */
  caller: string;
  status: "in_progress" | "canceling" | "ended";
  counts: RequestCounts;
  createdAt: number;
  expiresAt: number;
  endedAt: number | undefined;
  cancelInitiatedAt: number | undefined;
  archivedAt: number | undefined;
}

/** A request of a new batch. */
export interface NewItem {
  nth: number;
  customId: string;
  params: string;
}

/** A request of a batch that has ended, with its result as JSON. */
export interface ItemResult {
  nth: number;
  customId: string;
  result: string;
}

/** Page of a list: those before or after an id, newest first. */
export interface PageQuery {
  limit: number;
  afterId?: string | undefined;
  beforeId?: string | undefined;
}

/** Batches that are kept. */
export interface BatchStore {
  /** Begins a batch that is hidden until it is complete. Returns its number. */
  begin(batch: { id: string; owner: string; caller: string; now: number }): Promise<number>;
  /** Adds requests in one transaction. Returns the index of the first one whose `custom_id` exists, or `undefined`. */
  add(batch: number, items: readonly NewItem[]): Promise<number | undefined>;
  /**
   * Has the requests answered.
   *
   * @throws {ApiError} `invalid_request_error` if the quota of the owner does not leave the bytes.
   * @throws if another gateway has removed the batch, because this one looked dead.
   */
  complete(batch: number, size: { count: number; bytes: number; now: number }): Promise<void>;
  /** Gives up a batch that is not complete. What the database does not take is tried again by `removeOld()`. */
  discard(batch: number): Promise<void>;
  /** Hides a batch and removes it later, piece by piece. */
  remove(batch: number): Promise<void>;
  find(owner: string, id: string): Promise<Batch | undefined>;
  list(owner: string, page: PageQuery): Promise<{ batches: Batch[]; hasMore: boolean }>;
  cancel(batch: number, now: number): Promise<void>;
  /** Returns the requests after the `nth` one with their results, in order: at most `limit`, none after the last. */
  nextResults(batch: number, nth: number, limit: number): Promise<ItemResult[]>;
  /** Archives batches whose time is over, and removes a part of what is no longer seen. */
  removeOld(now: number): Promise<void>;
}

/** Time in which a batch must end. Source: https://platform.claude.com/docs/en/build-with-claude/batch-processing */
const EXPIRY_MS = 24 * 60 * 60 * 1000;

/** Time that results are kept, from the same page. */
const KEEP_MS = 29 * 24 * 60 * 60 * 1000;

const MAX_REMOVED_AT_ONCE = 500;

/** Requests that one statement adds. */
const MAX_INSERTED_AT_ONCE = 50;

/** Creates the store of the batches. */
export function createBatchStore(
  { database, instances }: Pick<DataStore, "database" | "instances">,
  usage: DiskUsage,
): BatchStore {
  const { own } = instances;
  /** Batches that were given up and that the database does not know as removed. */
  const discarded = new Set<number>();

  async function remove(batch: number): Promise<void> {
    await database.run("UPDATE batches SET status = 'removed' WHERE number = ?", batch);
    discarded.delete(batch);
  }

  return {
    async begin({ id, owner, caller, now }) {
      const row = await database.get(
        "INSERT INTO batches (id, owner, caller, instance, status, created_at, expires_at) VALUES (?, ?, ?, ?, 'creating', ?, ?) RETURNING number",
        id,
        owner,
        caller,
        own,
        now,
        now + EXPIRY_MS,
      );
      return Number(row?.number);
    },
    async add(batch, items) {
      return await database.transaction(async (queries) => {
        for (let at = 0; at < items.length; at += MAX_INSERTED_AT_ONCE) {
          const part = items.slice(at, at + MAX_INSERTED_AT_ONCE);
          const added = await queries.all(
            `INSERT INTO batch_items (batch, nth, custom_id, state, params)
              VALUES ${
              part.map(() => "(?, ?, ?, 'pending', ?)").join(", ")
            } ON CONFLICT DO NOTHING RETURNING nth`,
            ...part.flatMap(({ nth, customId, params }) => [batch, nth, customId, params]),
          );
          const numbers = new Set(added.map(({ nth }) => Number(nth)));
          const missing = part.find(({ nth }) => !numbers.has(nth));
          if (missing !== undefined) return missing.nth;
        }
        return undefined;
      });
    },
    async complete(batch, { count, bytes, now }) {
      await database.transaction(async (queries) => {
        const row = await queries.get(
          `SELECT owner FROM batches WHERE number = ? AND status = 'creating'${database.locks.row}`,
          batch,
        );
        if (row === undefined) throw new Error("Cannot create the batch: another gateway has removed it");
        await usage.take(queries, String(row.owner), bytes);
        await queries.run(
          "UPDATE batches SET status = 'in_progress', processing = ?, bytes = ?, created_at = ?, expires_at = ? WHERE number = ?",
          count,
          bytes,
          now,
          now + EXPIRY_MS,
          batch,
        );
      });
    },
    async discard(batch) {
      discarded.add(batch);
      await remove(batch).catch((error: unknown) => logWarning("batch not removed, trying again", { error }));
    },
    remove,
    async find(owner, id) {
      const row = await database.get(
        `${SELECT_BATCHES} WHERE id = ? AND owner = ? AND status IN ('in_progress', 'canceling', 'ended')`,
        id,
        owner,
      );
      return row && toBatch(row);
    },
    async list(owner, { limit, afterId, beforeId }) {
      const numberOf = async (id: string | undefined) => {
        if (id === undefined) return undefined;
        const row = await database.get("SELECT number FROM batches WHERE id = ? AND owner = ?", id, owner);
        return Number(row?.number ?? 0);
      };
      const [after, before] = [await numberOf(afterId), await numberOf(beforeId)];
      const where = "WHERE owner = ? AND status IN ('in_progress', 'canceling', 'ended')";
      const rows = before === undefined
        ? await database.all(
          `${SELECT_BATCHES} ${where} AND number < ? ORDER BY number DESC LIMIT ?`,
          owner,
          after ?? Number.MAX_SAFE_INTEGER,
          limit + 1,
        )
        : await database.all(
          `${SELECT_BATCHES} ${where} AND number > ? ORDER BY number LIMIT ?`,
          owner,
          before,
          limit + 1,
        );
      const shown = rows.slice(0, limit).map(toBatch);
      return {
        batches: before === undefined ? shown : shown.reverse(),
        hasMore: rows.length > limit,
      };
    },
    async cancel(batch, now) {
      await database.run(
        "UPDATE batches SET status = 'canceling', cancel_initiated_at = ? WHERE number = ? AND status = 'in_progress'",
        now,
        batch,
      );
    },
    async nextResults(batch, nth, limit) {
      const rows = await database.all(
        "SELECT nth, custom_id, state, result FROM batch_items WHERE batch = ? AND nth > ? ORDER BY nth LIMIT ?",
        batch,
        nth,
        limit,
      );
      return rows.map(({ nth, custom_id, state, result }) => ({
        nth: Number(nth),
        customId: String(custom_id),
        result: result === null ? JSON.stringify({ type: state }) : String(result),
      }));
    },
    async removeOld(now) {
      for (const batch of discarded) await remove(batch);
      await database.run(
        "UPDATE batches SET archived_at = ? WHERE status = 'ended' AND archived_at IS NULL AND created_at < ?",
        now,
        now - KEEP_MS,
      );
      const row = await database.get(
        "SELECT number, status FROM batches WHERE status = 'removed' OR (archived_at IS NOT NULL AND bytes > 0) LIMIT 1",
      );
      if (row === undefined) return;
      const number = Number(row.number);
      const removed = await database.run(
        "DELETE FROM batch_items WHERE batch = ? AND nth IN (SELECT nth FROM batch_items WHERE batch = ? LIMIT ?)",
        number,
        number,
        MAX_REMOVED_AT_ONCE,
      );
      if (removed > 0) return;
      if (row.status === "removed") await database.run("DELETE FROM batches WHERE number = ?", number);
      else await database.run("UPDATE batches SET bytes = 0 WHERE number = ?", number);
    },
  };
}

/** Selects the columns of {@linkcode toBatch}. */
export const SELECT_BATCHES =
  "SELECT number, id, owner, caller, status, created_at, expires_at, ended_at, cancel_initiated_at, archived_at, processing, succeeded, errored, canceled, expired FROM batches";

/** Converts a row to a batch. */
export function toBatch(row: SqlRow): Batch {
  const time = (value: unknown) => value === null || value === undefined ? undefined : Number(value);
  const { processing, succeeded, errored, canceled, expired } = row;
  return {
    number: Number(row.number),
    id: String(row.id),
    owner: String(row.owner),
    caller: String(row.caller),
    status: row.status === "ended" ? "ended" : row.status === "canceling" ? "canceling" : "in_progress",
    counts: {
      processing: Number(processing),
      succeeded: Number(succeeded),
      errored: Number(errored),
      canceled: Number(canceled),
      expired: Number(expired),
    },
    createdAt: Number(row.created_at),
    expiresAt: Number(row.expires_at),
    endedAt: time(row.ended_at),
    cancelInitiatedAt: time(row.cancel_initiated_at),
    archivedAt: time(row.archived_at),
  };
}
