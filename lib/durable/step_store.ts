import type { DataDir } from "./data_dir.ts";

/** A recorded step: `value` is its result as JSON, and undefined while it runs. */
export interface RecordedStep {
  value: string | undefined;
}

/** Recorded steps in `DATA_DIR`. `run` identifies the answer that they belong to. */
export interface StepStore {
  find(run: string, name: string): RecordedStep | undefined;
  /** Records that a step runs. */
  begin(run: string, name: string): void;
  finish(run: string, name: string, value: string): void;
}

/** Creates the store of the steps in an open `DATA_DIR`. */
export function createStepStore({ database }: DataDir): StepStore {
  return {
    find(run, name) {
      const row = database.get("SELECT value FROM steps WHERE run = ? AND name = ?", run, name);
      return row && { value: row.value === null ? undefined : String(row.value) };
    },
    begin: (run, name) =>
      void database.run("INSERT OR IGNORE INTO steps (run, name) VALUES (?, ?)", run, name),
    finish: (run, name, value) =>
      void database.run("INSERT OR REPLACE INTO steps VALUES (?, ?, ?)", run, name, value),
  };
}

/** Beginning of the value of a turn that failed. */
export const FAILURE_PREFIX = '{"error":';

/**
 * Statement that forgets the failures of the last conversation of a run, for its parameter: a repeat asks again. The
 * failures of earlier conversations stay, so that the repeat takes the same way past them.
 */
export const FORGET_LAST_FAILURES = `DELETE FROM steps WHERE run = ?1 AND value LIKE '${FAILURE_PREFIX}%'
  AND substr(name, 1, 4) = (SELECT max(substr(name, 1, 4)) FROM steps WHERE run = ?1)`;
