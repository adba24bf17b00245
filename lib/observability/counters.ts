import { FAILURE_KINDS, type FailureKind } from "./failure_kind.ts";
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

/** Counters since the start of the gateway, for `GET /status` and `GET /metrics`. */
export interface Counters {
  readonly startedAt: number;
  /** Requests that have arrived. */
  requests: number;
  /** Requests that are being answered. */
  open: number;
  /** Failed requests by kind. */
  readonly failures: Readonly<Record<FailureKind, number>>;
  countFailure(kind: FailureKind): void;
}

/** Creates counters at 0; `startedAt` is in milliseconds since 1970. */
export function createCounters(startedAt: number): Counters {
  const failures = Object.fromEntries(FAILURE_KINDS.map((kind) => [kind, 0])) as Record<FailureKind, number>;
  return {
    startedAt,
    requests: 0,
    open: 0,
    failures,
    countFailure(kind) {
      failures[kind]++;
    },
  };
}
