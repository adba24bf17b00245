import type { SqlRow } from "../runtime/sqlite.ts";
import type { DataStore } from "./data_store.ts";
import type { Queries } from "./database.ts";
import { dropOldest } from "./drop_oldest.ts";
import { FORGET_LAST_FAILURES } from "./step_store.ts";

/** A request that asks for an answer which may be kept already. */
export interface AnswerClaim {
  owner: string;
  /** The client's idempotency key. */
  key: string;
  /** Digest of the request's body. */
  fingerprint: string;
  /** The request, as JSON, if an engine runs the answer: any gateway makes it then, again after a failure. */
  request?: string | undefined;
}

/** An answer that this gateway makes. Once another gateway makes it, nothing is written to it here. */
export interface HeldAnswer {
  id: string;
  /** Number of the times that the answer was begun. */
  attempt: number;
}

/**
 * Result of a claim: the answer must be made here, is kept or made by another gateway, or belongs to another body. The
 * `round` counts the times that the answer was claimed.
 */
export type ClaimResult =
  | { kind: "own"; held: HeldAnswer; round: number }
  | { kind: "kept"; id: string; round: number }
  | { kind: "conflict" };

/** State of a kept answer: `running` has no head yet, `open` is being written, `done` is complete. */
export type AnswerState =
  | { state: "running" }
  | { state: "open" | "done"; attempt: number; status: number; headers: string }
  | { state: "lost" };

/** Answers that are kept under an idempotency key. */
export interface AnswerStore {
  /** Finds the answer of a key, or claims it for this gateway. An answer whose gateway has ended is claimed. */
  claim(claim: AnswerClaim, now: number): Promise<ClaimResult>;
  /** Begins to make an answer that an engine runs, again if need be. Returns `undefined` if it has ended. */
  take(id: string, round: number): Promise<{ held: HeldAnswer; request: string } | undefined>;
  /** Returns the state of an answer. It is `lost` if its gateway has ended, or if it was not kept. */
  state(id: string): Promise<AnswerState>;
  /** Returns a piece of the body, or `undefined` if it is not there yet. */
  piece(id: string, nth: number): Promise<Uint8Array | undefined>;
  open(held: HeldAnswer, head: { status: number; headers: string }): Promise<void>;
  append(held: HeldAnswer, nth: number, piece: Uint8Array): Promise<void>;
  /**
   * Completes an answer, and removes the steps that led to it. Drops the oldest answers of an owner beyond `maxBytes`.
   */
  finish(held: HeldAnswer, bytes: number): Promise<void>;
  /** Gives an answer up. Its steps stay, so that a repeat does not repeat them. */
  fail(held: HeldAnswer): Promise<void>;
  /** Gives up an answer that an engine runs, with any gateway. */
  abandon(id: string, round: number): Promise<void>;
  /** Removes answers that are older than a day. */
  removeOld(now: number): Promise<void>;
}

/** Time that an answer is kept, in milliseconds. */
export const KEEP_MS = 24 * 60 * 60 * 1000;

/** The instance of an answer that an engine runs: it continues if any gateway ends. */
const ENGINE = "engine";

/** Creates the store of the answers. */
export function createAnswerStore(
  { database, instances }: Pick<DataStore, "database" | "instances">,
  { newId }: { newId(prefix: string): string },
): AnswerStore {
  /**
   * The attempts at answers that this gateway makes. One that it could not give up, because the database failed, is
   * free.
   */
  const made = new Map<string, number>();

  function forget({ id, attempt }: HeldAnswer): void {
    if (made.get(id) === attempt) made.delete(id);
  }

  async function isMade({ id, instance }: SqlRow, queries: Queries): Promise<boolean> {
    if (instance === ENGINE) return true;
    return instance === instances.own
      ? made.has(String(id))
      : await instances.isAlive(String(instance), queries);
  }

  return {
    async claim({ owner, key, fingerprint, request }, now) {
      const instance = request === undefined ? instances.own : ENGINE;
      const newAnswer = newId("answer_");
      let begun: HeldAnswer | undefined;
      /** Remembers the answer before its commit: another claim may read it right after. */
      const begin = (held: HeldAnswer) => {
        begun = held;
        if (instance !== ENGINE) made.set(held.id, held.attempt);
        return held;
      };
      const work = async (queries: Queries): Promise<ClaimResult> => {
        const added = await queries.run(
          `INSERT INTO answers (id, owner, key, fingerprint, state, instance, request, created_at)
            VALUES (?, ?, ?, ?, 'running', ?, ?, ?) ON CONFLICT DO NOTHING`,
          newAnswer,
          owner,
          key,
          fingerprint,
          instance,
          request ?? null,
          now,
        );
        if (added === 1) {
          return { kind: "own", held: begin({ id: newAnswer, attempt: 0 }), round: 0 };
        }
        const row = await queries.get(
          `SELECT id, fingerprint, state, instance, round, attempt FROM answers WHERE owner = ? AND key = ?${database.locks.row}`,
          owner,
          key,
        );
        if (row === undefined) throw new Error("Cannot claim the answer: it was removed meanwhile");
        const id = String(row.id);
        const isSame = row.fingerprint === fingerprint;
        const isKept = row.state === "done" ||
          (row.state !== "failed" && await isMade(row, queries));
        if (isKept) return isSame ? { kind: "kept", id, round: Number(row.round) } : { kind: "conflict" };
        // An answer that was begun keeps its key: only one that failed before it is free for another body.
        if (!isSame && row.state !== "failed") return { kind: "conflict" };
        if (!isSame) await queries.run("DELETE FROM steps WHERE run = ?", id);
        await queries.run("DELETE FROM answer_pieces WHERE answer = ?", id);
        const [round, attempt] = [Number(row.round) + 1, Number(row.attempt) + 1];
        await queries.run(
          `UPDATE answers SET state = 'running', fingerprint = ?, instance = ?, request = ?, created_at = ?,
            round = ?, attempt = ?, status = NULL, headers = NULL WHERE id = ?`,
          fingerprint,
          instance,
          request ?? null,
          now,
          round,
          attempt,
          id,
        );
        return { kind: "own", held: begin({ id, attempt }), round };
      };
      try {
        return await database.transaction(work);
      } catch (error) {
        if (begun !== undefined) forget(begun); // the commit may have succeeded without a reply
        throw error;
      }
    },
    async take(id, round) {
      return await database.transaction(async (queries) => {
        const row = await queries.get(
          `UPDATE answers SET state = 'running', attempt = attempt + 1, status = NULL, headers = NULL
            WHERE id = ? AND round = ? AND instance = ? AND state IN ('running', 'open') RETURNING attempt, request`,
          id,
          round,
          ENGINE,
        );
        if (row === undefined) return undefined;
        await queries.run("DELETE FROM answer_pieces WHERE answer = ?", id);
        return { held: { id, attempt: Number(row.attempt) }, request: String(row.request) };
      });
    },
    async state(id) {
      const row = await database.get(
        "SELECT id, state, instance, attempt, status, headers FROM answers WHERE id = ?",
        id,
      );
      const isLost = row === undefined || row.state === "failed" ||
        (row.state !== "done" && !await isMade(row, database));
      if (isLost) return { state: "lost" };
      if (row.state === "running") return { state: "running" };
      return {
        state: row.state === "done" ? "done" : "open",
        attempt: Number(row.attempt),
        status: Number(row.status),
        headers: String(row.headers),
      };
    },
    async piece(id, nth) {
      const row = await database.get(
        "SELECT bytes FROM answer_pieces WHERE answer = ? AND nth = ?",
        id,
        nth,
      );
      return row?.bytes instanceof Uint8Array ? row.bytes : undefined;
    },
    async open({ id, attempt }, { status, headers }) {
      await database.run(
        `UPDATE answers SET state = 'open', status = ?, headers = ? WHERE ${HELD}`,
        status,
        headers,
        id,
        attempt,
      );
    },
    async append({ id, attempt }, nth, piece) {
      await database.transaction(async (queries) => {
        const held = await queries.get(
          `SELECT 1 FROM answers WHERE ${HELD}${database.locks.row}`,
          id,
          attempt,
        );
        if (held === undefined) throw new Error("Cannot keep the answer: another gateway makes it");
        await queries.run("INSERT INTO answer_pieces VALUES (?, ?, ?)", id, nth, piece);
      });
    },
    async finish({ id, attempt }, bytes) {
      await database.transaction(async (queries) => {
        const finished = await queries.run(
          `UPDATE answers SET state = 'done', bytes = ?, request = NULL WHERE ${HELD}`,
          bytes,
          id,
          attempt,
        );
        if (finished === 0) return;
        await queries.run("DELETE FROM steps WHERE run = ?", id);
        await dropOldest(queries, id);
      });
      forget({ id, attempt });
    },
    async fail({ id, attempt }) {
      await database.transaction(async (queries) => {
        const failed = await queries.run(
          `UPDATE answers SET state = 'failed', request = NULL WHERE ${HELD}`,
          id,
          attempt,
        );
        if (failed === 0) return;
        await queries.run("DELETE FROM answer_pieces WHERE answer = ?", id);
        await queries.run(FORGET_LAST_FAILURES, id);
      }).finally(() => forget({ id, attempt }));
    },
    async abandon(id, round) {
      await database.run(
        "UPDATE answers SET state = 'failed', request = NULL, attempt = attempt + 1 WHERE id = ? AND round = ? AND state IN ('running', 'open')",
        id,
        round,
      );
    },
    async removeOld(now) {
      const rows = await database.all(
        "SELECT id, state, instance FROM answers WHERE created_at < ? LIMIT ?",
        now - KEEP_MS,
        MAX_REMOVED_AT_ONCE,
      );
      for (const { id, state, instance } of rows) {
        const runs = state === "running" || state === "open";
        if (runs && instance !== ENGINE && await isMade({ id, instance }, database)) continue;
        await database.run("DELETE FROM answers WHERE id = ?", String(id));
        await database.run("DELETE FROM steps WHERE run = ?", String(id));
      }
    },
  };
}

/** The answer of an attempt that no later one has taken over, and that has not ended. */
const HELD = "id = ? AND attempt = ? AND state IN ('running', 'open')";

const MAX_REMOVED_AT_ONCE = 100;
