import { test as declare } from "node:test";

const tests: { name: string; run: () => unknown }[] = [];

/**
 * Adds a test that {@linkcode declareTests} runs. From its first test on, Node's runner tracks every promise, which
 * takes four times the time where there are millions of them.
 */
export function test(name: string, run: () => unknown): void {
  tests.push({ name, run });
}

/** Runs the added tests in order, and then declares each with its outcome. Call it once, at the end of a file. */
export async function declareTests(): Promise<void> {
  const outcomes: [string, PromiseSettledResult<unknown>][] = [];
  for (const { name, run } of tests.splice(0)) {
    const [outcome] = await Promise.allSettled([Promise.resolve().then(run)]);
    outcomes.push([name, outcome]);
  }
  for (const [name, outcome] of outcomes) {
    declare(name, () => {
      if (outcome.status === "rejected") throw outcome.reason;
    });
  }
}
