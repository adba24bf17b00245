import { type Batch, type ItemOutcome, SELECT_BATCHES, toBatch } from "./batch_store.ts";
import type { DataStore } from "./data_store.ts";
import { FORGET_LAST_FAILURES } from "./step_store.ts";

/** A request of a batch that is to be answered. */
export interface BatchItem {
  batch: number;
  nth: number;
  /** The request for a message, as JSON. */
  params: string;
  /** Earlier attempts that failed. */
  attempts: number;
}

/** The requests of batches that are to be answered. Several gateways take from it. */
export interface BatchQueue {
  /** Batches that have not ended, oldest first. */
  active(): Promise<Batch[]>;
  hasPending(batch: number, now: number): Promise<boolean>;
  claim(batch: number, now: number): Promise<BatchItem | undefined>;
  /** Returns a request that has not ended, with its batch, or `undefined` if it has or if a later attempt is due. */
  find(item: Omit<BatchItem, "params">): Promise<{ item: BatchItem; batch: Batch } | undefined>;
  /** Ends a request with its result, as JSON, and the batch with its last request. */
  finish(item: BatchItem, end: { outcome: ItemOutcome; result: string; now: number }): Promise<void>;
  /** Gives a request back, to be claimed again at `retryAt`. */
  release(item: BatchItem, retry: { attempts: number; retryAt: number }): Promise<void>;
  /** Ends at most `limit` requests that wait. Returns their number. */
  closePending(
    batch: number,
    end: { outcome: "canceled" | "expired"; limit: number; now: number },
  ): Promise<number>;
  /** Gives back what gateways have claimed that have ended. */
  recover(): Promise<void>;
}

/** Creates the queue of the requests of batches. */
export function createBatchQueue(
  { database, instances }: Pick<DataStore, "database" | "instances">,
): BatchQueue {
  const { own } = instances;

  return {
    async active() {
      const sql = `${SELECT_BATCHES} WHERE status IN ('in_progress', 'canceling') ORDER BY number`;
      return (await database.all(sql)).map(toBatch);
    },
    hasPending: async (batch, now) =>
      await database.get(`SELECT 1 ${PENDING} LIMIT 1`, batch, now) !== undefined,
    async claim(batch, now) {
      const row = await database.get(
        `UPDATE batch_items SET state = 'running', instance = ? WHERE batch = ? AND nth =
          (SELECT nth ${PENDING} ORDER BY nth LIMIT 1${database.locks.next}) RETURNING nth, params, attempts`,
        own,
        batch,
        batch,
        now,
      );
      return row &&
        { batch, nth: Number(row.nth), params: String(row.params), attempts: Number(row.attempts) };
    },
    async find({ batch, nth, attempts }) {
      const row = await database.get(
        `SELECT params FROM batch_items WHERE ${OPEN_ITEM}`,
        batch,
        nth,
        attempts,
      );
      const found = row && await database.get(`${SELECT_BATCHES} WHERE number = ?`, batch);
      return found && { item: { batch, nth, attempts, params: String(row.params) }, batch: toBatch(found) };
    },
    async finish({ batch, nth, attempts }, { outcome, result, now }) {
      await database.transaction(async (queries) => {
        const changed = await queries.run(
          `UPDATE batch_items SET state = ?, result = ?, params = NULL, instance = NULL WHERE ${OPEN_ITEM}`,
          outcome,
          result,
          batch,
          nth,
          attempts,
        );
        if (changed === 0) return;
        await queries.run("DELETE FROM steps WHERE run = ?", toRunId(batch, nth));
        await queries.run(
          `UPDATE batches SET processing = processing - 1, ${outcome} = ${outcome} + 1, bytes = bytes + ? WHERE number = ?`,
          result.length,
          batch,
        );
        await queries.run(END_IF_DONE, now, batch);
      });
    },
    async release({ batch, nth, attempts: earlier }, { attempts, retryAt }) {
      await database.transaction(async (queries) => {
        await queries.run(
          `UPDATE batch_items SET state = 'pending', instance = NULL, attempts = ?, retry_at = ? WHERE ${OPEN_ITEM}`,
          attempts,
          retryAt,
          batch,
          nth,
          earlier,
        );
        await queries.run(FORGET_LAST_FAILURES, toRunId(batch, nth));
      });
    },
    async closePending(batch, { outcome, limit, now }) {
      return await database.transaction(async (queries) => {
        const closed = await queries.run(
          `UPDATE batch_items SET state = ? WHERE batch = ? AND state = 'pending' AND nth IN (SELECT nth ${PENDING} LIMIT ?)`,
          outcome,
          batch,
          batch,
          Number.MAX_SAFE_INTEGER,
          limit,
        );
        await queries.run(
          `UPDATE batches SET processing = processing - ?, ${outcome} = ${outcome} + ? WHERE number = ?`,
          closed,
          closed,
          batch,
        );
        await queries.run(END_IF_DONE, now, batch);
        return closed;
      });
    },
    async recover() {
      const holders = await database.all(
        "SELECT DISTINCT instance FROM batch_items WHERE state = 'running' UNION SELECT instance FROM batches WHERE status = 'creating'",
      );
      for (const { instance } of holders) {
        const id = String(instance);
        if (await instances.isAlive(id, database)) continue;
        await database.run(
          "UPDATE batch_items SET state = 'pending', instance = NULL WHERE state = 'running' AND instance = ?",
          id,
        );
        await database.run(
          "UPDATE batches SET status = 'removed' WHERE status = 'creating' AND instance = ?",
          id,
        );
      }
    },
  };
}

/** Identifies the recorded steps of a request of a batch. */
export function toRunId(batch: number, nth: number): string {
  return `batch ${batch} ${nth}`;
}

const PENDING = "FROM batch_items WHERE batch = ? AND state = 'pending' AND retry_at <= ?";

/** An attempt at a request that has not ended. It may be waiting again while a gateway still ends it. */
const OPEN_ITEM = "batch = ? AND nth = ? AND attempts = ? AND state IN ('pending', 'running')";

const END_IF_DONE = `UPDATE batches SET status = 'ended', ended_at = ?
  WHERE number = ? AND processing = 0 AND status IN ('in_progress', 'canceling')`;
