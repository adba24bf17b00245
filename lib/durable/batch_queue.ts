import { type Batch, type ItemOutcome, SELECT_BATCHES, toBatch } from "./batch_store.ts";
import type { DataDir } from "./data_dir.ts";
import { FORGET_LAST_FAILURES } from "./step_store.ts";

/** A request of a batch that this gateway has claimed. */
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
  active(): Batch[];
  hasPending(batch: number, now: number): boolean;
  claim(batch: number, now: number): BatchItem | undefined;
  /** Ends a request with its result, as JSON, and the batch with its last request. */
  finish(item: BatchItem, end: { outcome: ItemOutcome; result: string; now: number }): void;
  /** Gives a request back, to be claimed again at `retryAt`. */
  release(item: BatchItem, retry: { attempts: number; retryAt: number }): void;
  /** Ends at most `limit` requests that wait. Returns their number. */
  closePending(batch: number, end: { outcome: "canceled" | "expired"; limit: number; now: number }): number;
  /** Gives back what gateways have claimed that have ended. */
  recover(): void;
}

/** Creates the queue of the requests in an open `DATA_DIR`. */
export function createBatchQueue({ database, instances }: DataDir): BatchQueue {
  const { own } = instances;

  function endIfDone(batch: number, now: number): void {
    database.run(
      "UPDATE batches SET status = 'ended', ended_at = ? WHERE number = ? AND processing = 0 AND status IN ('in_progress', 'canceling')",
      now,
      batch,
    );
  }

  return {
    active: () =>
      database.all(`${SELECT_BATCHES} WHERE status IN ('in_progress', 'canceling') ORDER BY number`).map(
        toBatch,
      ),
    hasPending: (batch, now) => database.get(`SELECT 1 ${PENDING} LIMIT 1`, batch, now) !== undefined,
    claim(batch, now) {
      const [row] = database.all(
        `UPDATE batch_items SET state = 'running', instance = ? WHERE batch = ? AND nth = (SELECT nth ${PENDING} ORDER BY nth LIMIT 1) RETURNING nth, params, attempts`,
        own,
        batch,
        batch,
        now,
      );
      return row &&
        { batch, nth: Number(row.nth), params: String(row.params), attempts: Number(row.attempts) };
    },
    finish({ batch, nth }, { outcome, result, now }) {
      database.transaction(() => {
        const changed = database.run(
          "UPDATE batch_items SET state = ?, result = ?, params = NULL, instance = NULL WHERE batch = ? AND nth = ? AND state = 'running' AND instance = ?",
          outcome,
          result,
          batch,
          nth,
          own,
        );
        if (changed === 0) return;
        database.run("DELETE FROM steps WHERE run = ?", toRunId(batch, nth));
        database.run(
          `UPDATE batches SET processing = processing - 1, ${outcome} = ${outcome} + 1, bytes = bytes + ? WHERE number = ?`,
          result.length,
          batch,
        );
        endIfDone(batch, now);
      });
    },
    release({ batch, nth }, { attempts, retryAt }) {
      database.transaction(() => {
        database.run(FORGET_LAST_FAILURES, toRunId(batch, nth));
        database.run(
          "UPDATE batch_items SET state = 'pending', instance = NULL, attempts = ?, retry_at = ? WHERE batch = ? AND nth = ? AND state = 'running' AND instance = ?",
          attempts,
          retryAt,
          batch,
          nth,
          own,
        );
      });
    },
    closePending(batch, { outcome, limit, now }) {
      return database.transaction(() => {
        const closed = database.run(
          `UPDATE batch_items SET state = ? WHERE batch = ? AND nth IN (SELECT nth ${PENDING} LIMIT ?)`,
          outcome,
          batch,
          batch,
          Number.MAX_SAFE_INTEGER,
          limit,
        );
        database.run(
          `UPDATE batches SET processing = processing - ?, ${outcome} = ${outcome} + ? WHERE number = ?`,
          closed,
          closed,
          batch,
        );
        endIfDone(batch, now);
        return closed;
      });
    },
    recover() {
      const holders = database.all(
        "SELECT DISTINCT instance FROM batch_items WHERE state = 'running' UNION SELECT instance FROM batches WHERE status = 'creating'",
      );
      for (const { instance } of holders) {
        const id = String(instance);
        if (instances.isAlive(id)) continue;
        database.run(
          "UPDATE batch_items SET state = 'pending', instance = NULL WHERE state = 'running' AND instance = ?",
          id,
        );
        database.run("UPDATE batches SET status = 'removed' WHERE status = 'creating' AND instance = ?", id);
      }
    },
  };
}

/** Identifies the recorded steps of a request of a batch. */
export function toRunId(batch: number, nth: number): string {
  return `batch ${batch} ${nth}`;
}

const PENDING = "FROM batch_items WHERE batch = ? AND state = 'pending' AND retry_at <= ?";
