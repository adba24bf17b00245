import type { DataStore } from "./data_store.ts";

/** Recorded steps. `run` identifies the answer that they belong to. */
export interface StepStore {
  /** Returns the result of a step as JSON, or `undefined` if it has none. */
  find(run: string, name: string): Promise<string | undefined>;
  /** Records that a step runs. Returns false if it was begun before, here or by another gateway. */
  begin(run: string, name: string): Promise<boolean>;
  /** Records the result of a step. The first result stays. */
  finish(run: string, name: string, value: string): Promise<void>;
}

/** Creates the store of the steps. */
export function createStepStore({ database }: Pick<DataStore, "database">): StepStore {
  return {
    async find(run, name) {
      const row = await database.get("SELECT value FROM steps WHERE run = ? AND name = ?", run, name);
      return typeof row?.value === "string" ? row.value : undefined;
    },
    begin: async (run, name) =>
      await database.run("INSERT INTO steps (run, name) VALUES (?, ?) ON CONFLICT DO NOTHING", run, name) ===
        1,
    finish: async (run, name, value) =>
      void await database.run(
        `INSERT INTO steps VALUES (?, ?, ?) ON CONFLICT (run, name) DO UPDATE SET value = excluded.value
          WHERE steps.value IS NULL`,
        run,
        name,
        value,
      ),
  };
}

/** Beginning of the value of a turn that failed. */
export const FAILURE_PREFIX = '{"error":';

/**
 * Statement that forgets the failures of the last conversation of a run, which is its parameter: a repeat asks again.
 * The failures of earlier conversations stay, so that the repeat reaches the last one in the same way.
 */
export const FORGET_LAST_FAILURES = `DELETE FROM steps WHERE run = ?1 AND value LIKE '${FAILURE_PREFIX}%'
  AND substr(name, 1, 4) = (SELECT max(substr(name, 1, 4)) FROM steps WHERE run = ?1)`;
