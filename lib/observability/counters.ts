import { logError } from "./log.ts";

/** Logs a failure that nobody was waiting for, and counts it: the process lives on. */
export function logUnhandledError(error: unknown): void {
  unhandledErrors++;
  logError("unhandled error", { error });
}

/** How many failures of this process nobody was waiting for; each is a bug. */
export function countUnhandledErrors(): number {
  return unhandledErrors;
}

/** Of the process, as are the events that tell of them. */
let unhandledErrors = 0;

/** What the gateway has seen since it started, for `GET /status`. */
export type Counters = { readonly startedAt: number; requests: number; errors: number; open: number };

/** Creates counters that stand at nothing; `startedAt` is in milliseconds since 1970. */
export function createCounters(startedAt: number): Counters {
  return { startedAt, requests: 0, errors: 0, open: 0 };
}
