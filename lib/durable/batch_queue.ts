import { type Batch, type ItemOutcome, SELECT_BATCHES, toBatch } from "./batch_store.ts";
import type { DataStore } from "./data_store.ts";
import { FORGET_LAST_FAILURES } from "./step_store.ts";

/** A request of a batch that waits for its answer. */
export interface BatchItem {
  batch: number;
  nth: number;
  /** The request for a message, as JSON. */
  params: string;
  /** Earlier attempts that failed. */
  attempts: number;
}

/** The requests of batches that wait for their answers. Several gateways take from it. */
export interface BatchQueue {
  /** Batches that have not ended, oldest first. */
  active(): Promise<Batch[]>;
  hasPending(batch: number, now: number): Promise<boolean>;
  claim(batch: number, now: number): Promise<BatchItem | undefined>;
  /** Returns a request that has not ended, with its batch, or `undefined` if it has or if a later attempt is due. */
  find(item: Omit<BatchItem, "params">): Promise<{ item: BatchItem; batch: Batch } | undefined>;
  /** Ends a request with its result, as JSON, and the batch with its last request. */
  finish(item: BatchItem, end: { outcome: ItemOutcome; result: string; now: number }): Promise<void>;
  /** Gives a request back, to be claimed again at `retryAt`, unless this attempt at it has ended. */
  release(item: BatchItem, retry: { attempts: number; retryAt: number }): Promise<void>;
  /** Ends at most `limit` requests that wait. Returns their number. */
  closePending(
    batch: number,
    end: { outcome: "canceled" | "expired"; limit: number; now: number },
  ): Promise<number>;
  /** Gives back what gateways have claimed that have ended, and what no gateway knows that it has claimed. */
  recover(): Promise<void>;
}

/** Creates the queue of the requests of batches. */
export function createBatchQueue(
  { database, instances }: Pick<DataStore, "database" | "instances">,
): BatchQueue {
  const { own } = instances;
  /** The attempts that this gateway has claimed and not ended. */
  const held = new Set<string>();
  let claims = 0;
  let openClaims = 0;
  let claimLost = false;

  /** Gives back what a claim took whose reply did not arrive. */
  async function releaseLost(): Promise<void> {
    if (!claimLost || openClaims > 0) return;
    const claimsBefore = claims;
    const rows = await database.all(
      "SELECT batch, nth, attempts FROM batch_items WHERE state = 'running' AND instance = ?",
      own,
    );
    if (claims !== claimsBefore) return; // a row may be that of a claim whose reply is still to come
    for (const row of rows) {
      const [batch, nth, attempts] = [Number(row.batch), Number(row.nth), Number(row.attempts)];
      if (held.has(toAttemptId({ batch, nth, attempts }))) continue;
      await database.run(
        "UPDATE batch_items SET state = 'pending', instance = NULL WHERE batch = ? AND nth = ? AND attempts = ? AND state = 'running'",
        batch,
        nth,
        attempts,
      );
    }
    claimLost = false;
  }

  return {
    async active() {
      const sql = `${SELECT_BATCHES} WHERE status IN ('in_progress', 'canceling') ORDER BY number`;
      return (await database.all(sql)).map(toBatch);
    },
    hasPending: async (batch, now) =>
      await database.get(`SELECT 1 ${PENDING} LIMIT 1`, batch, now) !== undefined,
    async claim(batch, now) {
      claims++;
      openClaims++;
      try {
        const row = await database.get(
          `UPDATE batch_items SET state = 'running', instance = ? WHERE batch = ? AND nth =
            (SELECT nth ${PENDING} ORDER BY nth LIMIT 1${database.locks.next}) RETURNING nth, params, attempts`,
          own,
          batch,
          batch,
          now,
        );
        if (row === undefined) return undefined;
        const { nth, params, attempts } = row;
        const item = { batch, nth: Number(nth), params: String(params), attempts: Number(attempts) };
        held.add(toAttemptId(item));
        return item;
      } catch (error) {
        claimLost = true;
        throw error;
      } finally {
        openClaims--;
      }
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
    async finish(item, { outcome, result, now }) {
      const { batch, nth, attempts } = item;
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
        await Promise.all([ // one round trip
          queries.run("DELETE FROM steps WHERE run = ?", toRunId(batch, nth)),
          queries.run(COUNT_ENDED[outcome], 1, result.length, now, batch),
        ]);
      });
      held.delete(toAttemptId(item));
    },
    async release(item, { attempts, retryAt }) {
      const { batch, nth, attempts: earlier } = item;
      await database.transaction(async (queries) => {
        const changed = await queries.run(
          `UPDATE batch_items SET state = 'pending', instance = NULL, attempts = ?, retry_at = ? WHERE ${OPEN_ITEM}`,
          attempts,
          retryAt,
          batch,
          nth,
          earlier,
        );
        if (changed > 0) await queries.run(FORGET_LAST_FAILURES, toRunId(batch, nth));
      });
      held.delete(toAttemptId(item));
    },
    async closePending(batch, { outcome, limit, now }) {
      return await database.transaction(async (queries) => {
        const closed = await queries.all(
          `UPDATE batch_items SET state = ?, params = NULL WHERE batch = ? AND state = 'pending'
            AND nth IN (SELECT nth ${PENDING} LIMIT ?) RETURNING nth`,
          outcome,
          batch,
          batch,
          Number.MAX_SAFE_INTEGER,
          limit,
        );
        // An earlier attempt may have left steps.
        for (const { nth } of closed) {
          await queries.run("DELETE FROM steps WHERE run = ?", toRunId(batch, Number(nth)));
        }
        await queries.run(COUNT_ENDED[outcome], closed.length, 0, now, batch);
        return closed.length;
      });
    },
    async recover() {
      await releaseLost();
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

/** Counts requests that have ended: their number, bytes, time and batch. The last one ends the batch. */
const COUNT_ENDED: Readonly<Record<ItemOutcome, string>> = {
  succeeded: countEnded("succeeded"),
  errored: countEnded("errored"),
  canceled: countEnded("canceled"),
  expired: countEnded("expired"),
};

function countEnded(outcome: ItemOutcome): string {
  const isLast = "processing = ?1 AND status IN ('in_progress', 'canceling')";
  return `UPDATE batches SET processing = processing - ?1, ${outcome} = ${outcome} + ?1, bytes = bytes + ?2,
    ended_at = CASE WHEN ${isLast} THEN ?3 ELSE ended_at END,
    status = CASE WHEN ${isLast} THEN 'ended' ELSE status END WHERE number = ?4`;
}

function toAttemptId({ batch, nth, attempts }: Omit<BatchItem, "params">): string {
  return `${toRunId(batch, nth)} ${attempts}`;
}
