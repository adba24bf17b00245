import { logError } from "./log.ts";

/** Logs and counts an unhandled error. The process continues. */
export function logUnhandledError(error: unknown): void {
  unhandledErrors++;
  logError("unhandled error", { error });
}

/** Number of unhandled errors of this process. Each is a bug. */
export function countUnhandledErrors(): number {
  return unhandledErrors;
}

/** Global, because the runtime reports unhandled errors per process. */
let unhandledErrors = 0;

/** Counters since the start of the gateway, for `GET /status`. */
export type Counters = { readonly startedAt: number; requests: number; errors: number; open: number };

/** Creates counters at 0; `startedAt` is in milliseconds since 1970. */
export function createCounters(startedAt: number): Counters {
  return { startedAt, requests: 0, errors: 0, open: 0 };
}
