import type { DataDir } from "./data_dir.ts";
import { FORGET_LAST_FAILURES } from "./step_store.ts";

/** A request that asks for an answer which may be kept already. */
export interface AnswerClaim {
  owner: string;
  /** The client's idempotency key. */
  key: string;
  /** Digest of the request's body. */
  fingerprint: string;
}

/** Result of a claim: the answer is to be made here, is kept or made by another gateway, or belongs to another body. */
export type ClaimResult = { kind: "own"; id: string } | { kind: "kept"; id: string } | { kind: "conflict" };

/** State of a kept answer: `running` has no head yet, `open` is being written, `done` is complete. */
export type AnswerState =
  | { state: "running" }
  | { state: "open" | "done"; status: number; headers: string }
  | { state: "lost" };

/** Answers that are kept in `DATA_DIR` under an idempotency key. */
export interface AnswerStore {
  /** Finds the answer of a key, or claims it for this gateway. An answer whose gateway has ended is claimed. */
  claim(claim: AnswerClaim, now: number): ClaimResult;
  /** Returns the state of an answer. It is `lost` if its gateway has ended, or if it was not kept. */
  state(id: string): AnswerState;
  /** Returns a piece of the body, or `undefined` if it is not there yet. */
  piece(id: string, nth: number): Uint8Array | undefined;
  open(id: string, head: { status: number; headers: string }): void;
  append(id: string, nth: number, piece: Uint8Array): void;
  /** Completes an answer, and removes the steps that led to it. Drops the oldest answers of an owner beyond `maxBytes`. */
  finish(id: string, bytes: number): void;
  /** Gives an answer up. Its steps stay, so that a repeat does not repeat them. */
  fail(id: string): void;
  /** Removes answers that are older than a day. */
  removeOld(now: number): void;
}

/** Time that an answer is kept, in milliseconds. */
export const KEEP_MS = 24 * 60 * 60 * 1000;

/** Maximum size of the kept answers of one owner, in bytes. */
export const MAX_KEPT_BYTES = 256 * 1024 * 1024;

/** Creates the store of the answers in an open `DATA_DIR`. */
export function createAnswerStore(
  { database, instances }: DataDir,
  { newId }: { newId(prefix: string): string },
): AnswerStore {
  const { own } = instances;
  return {
    claim({ owner, key, fingerprint }, now) {
      return database.transaction((): ClaimResult => {
        const row = database.get(
          "SELECT id, fingerprint, state, instance FROM answers WHERE owner = ? AND key = ?",
          owner,
          key,
        );
        if (row === undefined) {
          const id = newId("answer_");
          database.run(
            "INSERT INTO answers (id, owner, key, fingerprint, state, instance, created_at) VALUES (?, ?, ?, ?, 'running', ?, ?)",
            id,
            owner,
            key,
            fingerprint,
            own,
            now,
          );
          return { kind: "own", id };
        }
        const id = String(row.id);
        const isSame = row.fingerprint === fingerprint;
        const isKept = row.state === "done" ||
          (row.state !== "failed" && instances.isAlive(String(row.instance)));
        if (isKept) return isSame ? { kind: "kept", id } : { kind: "conflict" };
        // An answer that was begun keeps its key: only one that failed before it is free for another body.
        if (!isSame && row.state !== "failed") return { kind: "conflict" };
        if (!isSame) database.run("DELETE FROM steps WHERE run = ?", id);
        database.run("DELETE FROM answer_pieces WHERE answer = ?", id);
        database.run(
          "UPDATE answers SET state = 'running', fingerprint = ?, instance = ?, created_at = ?, status = NULL, headers = NULL WHERE id = ?",
          fingerprint,
          own,
          now,
          id,
        );
        return { kind: "own", id };
      });
    },
    state(id) {
      const row = database.get("SELECT state, instance, status, headers FROM answers WHERE id = ?", id);
      const isLost = row === undefined || row.state === "failed" ||
        (row.state !== "done" && !instances.isAlive(String(row.instance)));
      if (isLost) return { state: "lost" };
      if (row.state === "running") return { state: "running" };
      const { status, headers } = row;
      return {
        state: row.state === "done" ? "done" : "open",
        status: Number(status),
        headers: String(headers),
      };
    },
    piece(id, nth) {
      const row = database.get("SELECT bytes FROM answer_pieces WHERE answer = ? AND nth = ?", id, nth);
      return row?.bytes instanceof Uint8Array ? row.bytes : undefined;
    },
    open(id, { status, headers }) {
      database.run(
        "UPDATE answers SET state = 'open', status = ?, headers = ? WHERE id = ? AND instance = ?",
        status,
        headers,
        id,
        own,
      );
    },
    append(id, nth, piece) {
      database.run("INSERT INTO answer_pieces VALUES (?, ?, ?)", id, nth, piece);
    },
    finish(id, bytes) {
      database.transaction(() => {
        database.run(
          "UPDATE answers SET state = 'done', bytes = ? WHERE id = ? AND instance = ?",
          bytes,
          id,
          own,
        );
        database.run("DELETE FROM steps WHERE run = ?", id);
        dropOldest(id);
      });
    },
    fail(id) {
      database.transaction(() => {
        database.run("DELETE FROM answer_pieces WHERE answer = ?", id);
        database.run(FORGET_LAST_FAILURES, id);
        database.run("UPDATE answers SET state = 'failed' WHERE id = ? AND instance = ?", id, own);
      });
    },
    removeOld(now) {
      const rows = database.all(
        "SELECT id, state, instance FROM answers WHERE created_at < ? LIMIT ?",
        now - KEEP_MS,
        MAX_REMOVED_AT_ONCE,
      );
      for (const { id, state, instance } of rows) {
        const runs = state === "running" || state === "open";
        if (runs && instances.isAlive(String(instance))) continue;
        database.run("DELETE FROM answers WHERE id = ?", String(id));
        database.run("DELETE FROM steps WHERE run = ?", String(id));
      }
    },
  };

  /** Removes the oldest complete answers of the owner of an answer while they exceed the maximum. */
  function dropOldest(id: string): void {
    const ofOwner = "FROM answers WHERE owner = (SELECT owner FROM answers WHERE id = ?) AND state = 'done'";
    let bytes = Number(database.get(`SELECT sum(bytes) AS bytes ${ofOwner}`, id)?.bytes ?? 0);
    while (bytes > MAX_KEPT_BYTES) {
      const oldest = database.get(`SELECT id, bytes ${ofOwner} ORDER BY created_at LIMIT 1`, id);
      if (oldest === undefined) return;
      database.run("DELETE FROM answers WHERE id = ?", String(oldest.id));
      bytes -= Number(oldest.bytes);
    }
  }
}

const MAX_REMOVED_AT_ONCE = 100;
