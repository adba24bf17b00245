import type { RestartPolicy } from "./server_config.ts";

/** State of a managed server. */
export type ServerState =
  | { readonly name: "stopped" }
  | { readonly name: "starting" }
  | { readonly name: "running"; readonly since: number; readonly failedPings: number }
  /** Has ended, and waits for its restart. */
  | { readonly name: "restarting"; readonly reason: string }
  | { readonly name: "stopping" }
  /** Has ended, and is not restarted by itself. */
  | { readonly name: "failed"; readonly reason: string; readonly at: number };

/** State of a managed server and its restarts: those in a row, and all since it was started by a request. */
export interface Lifecycle {
  readonly state: ServerState;
  readonly restartsInRow: number;
  readonly restarts: number;
}

/** What happens to a server; `at` is the time in milliseconds. */
export type LifecycleEvent = { readonly at: number } & LifecycleChange;

/** An event without its time. */
export type LifecycleChange =
  /** A request, or the first use. */
  | { readonly type: "start" }
  /** It has answered `initialize` and `tools/list`. */
  | { readonly type: "ready" }
  | { readonly type: "start failed"; readonly reason: string }
  /** A running server has ended; `clean` if it ended by itself with status 0. */
  | { readonly type: "ended"; readonly reason: string; readonly clean: boolean }
  | { readonly type: "ping answered" }
  /** A ping of the schedule, or one that a request has caused. */
  | { readonly type: "ping failed"; readonly scheduled: boolean }
  /** The wait before a restart is over. */
  | { readonly type: "restart due" }
  | { readonly type: "stop" }
  /** All its processes have ended. */
  | { readonly type: "stopped" };

/** What the caller has to do after an event. */
export type LifecycleAction =
  | { readonly type: "open" }
  /** End the connection and the process; `stopped` follows. */
  | { readonly type: "close" }
  /** End the connection and the process; `ended` follows. */
  | { readonly type: "abandon"; readonly reason: string }
  | { readonly type: "wait"; readonly ms: number };

/** Options of a server that decide about restarts. */
export interface RestartOptions {
  readonly restartPolicy: RestartPolicy;
  readonly maxRestarts: number;
}

/** Pings in a row without an answer after which a server is restarted. A server may be busy with a call. */
export const MAX_FAILED_PINGS = 3;
/** Time that a server has run after which its restarts are counted anew. */
export const STABLE_MS = 60_000;
/** Wait before the first restart; it doubles with each restart in a row. */
export const FIRST_WAIT_MS = 500;
const MAX_WAIT_MS = 30_000;

/** The lifecycle of a server that has not been started. */
export const INITIAL: Lifecycle = { state: { name: "stopped" }, restartsInRow: 0, restarts: 0 };

/**
 * Returns the next state of a server, and what the caller must then do. An event that does not fit the state changes
 * nothing.
 *
 * @example Usage
 * ```ts
 * import { INITIAL, next } from "./lifecycle.ts";
 *
 * const [{ state }, actions] = next(INITIAL, { type: "start", at: 0 }, { restartPolicy: "never", maxRestarts: 0 });
 * if (state.name !== "starting" || actions[0]?.type !== "open") throw new Error(state.name);
 * ```
 */
export function next(
  current: Lifecycle,
  event: LifecycleEvent,
  options: RestartOptions,
): [Lifecycle, readonly LifecycleAction[]] {
  const { state } = current;
  switch (state.name) {
    case "stopped":
    case "failed":
      return event.type === "start" ? [started(0, 0), [{ type: "open" }]] : [current, []];
    case "starting":
      return nextOfStarting(current, event, options);
    case "running":
      return nextOfRunning(current, state, event, options);
    case "restarting":
      if (event.type === "start" || event.type === "restart due") {
        return [started(current.restartsInRow, current.restarts), [{ type: "open" }]];
      }
      return event.type === "stop" ? [{ ...current, state: { name: "stopped" } }, []] : [current, []];
    case "stopping": {
      const isOver = event.type === "stopped" || event.type === "ended" || event.type === "start failed";
      return isOver ? [{ ...current, state: { name: "stopped" } }, []] : [current, []];
    }
  }
}

function started(restartsInRow: number, restarts: number): Lifecycle {
  return { state: { name: "starting" }, restartsInRow, restarts };
}

function nextOfStarting(
  current: Lifecycle,
  event: LifecycleEvent,
  options: RestartOptions,
): [Lifecycle, readonly LifecycleAction[]] {
  switch (event.type) {
    case "ready":
      return [{ ...current, state: { name: "running", since: event.at, failedPings: 0 } }, []];
    case "start failed":
      // The first start is not repeated: its failure is reported to the one who asked for it.
      return current.restartsInRow === 0
        ? [toFailed(current, event.reason, event.at), []]
        : restart(current, event.reason, event.at, options);
    case "stop":
      return [{ ...current, state: { name: "stopping" } }, [{ type: "close" }]];
    case "start":
    case "ended":
    case "ping answered":
    case "ping failed":
    case "restart due":
    case "stopped":
      return [current, []];
  }
}

function nextOfRunning(
  current: Lifecycle,
  state: Extract<ServerState, { name: "running" }>,
  event: LifecycleEvent,
  options: RestartOptions,
): [Lifecycle, readonly LifecycleAction[]] {
  switch (event.type) {
    case "ended": {
      if (event.clean && options.restartPolicy !== "always") {
        return [{ ...current, state: { name: "stopped" } }, []];
      }
      const isStable = event.at - state.since >= STABLE_MS;
      return restart({ ...current, ...(isStable && { restartsInRow: 0 }) }, event.reason, event.at, options);
    }
    case "ping answered":
      return [{ ...current, state: { ...state, failedPings: 0 } }, []];
    case "ping failed": {
      // Requests may come at any rate: they show that a server is unhealthy, but do not end it.
      if (!event.scheduled) {
        return [{ ...current, state: { ...state, failedPings: Math.max(state.failedPings, 1) } }, []];
      }
      const failedPings = state.failedPings + 1;
      const reason = `it did not answer ${MAX_FAILED_PINGS} pings in a row`;
      return [
        { ...current, state: { ...state, failedPings } },
        failedPings >= MAX_FAILED_PINGS ? [{ type: "abandon", reason }] : [],
      ];
    }
    case "stop":
      return [{ ...current, state: { name: "stopping" } }, [{ type: "close" }]];
    case "start":
    case "ready":
    case "start failed":
    case "restart due":
    case "stopped":
      return [current, []];
  }
}

function restart(
  current: Lifecycle,
  reason: string,
  at: number,
  { restartPolicy, maxRestarts }: RestartOptions,
): [Lifecycle, readonly LifecycleAction[]] {
  if (restartPolicy === "never" || current.restartsInRow >= maxRestarts) {
    return [toFailed(current, reason, at), []];
  }
  const ms = Math.min(FIRST_WAIT_MS * 2 ** current.restartsInRow, MAX_WAIT_MS);
  const lifecycle: Lifecycle = {
    state: { name: "restarting", reason },
    restartsInRow: current.restartsInRow + 1,
    restarts: current.restarts + 1,
  };
  return [lifecycle, [{ type: "wait", ms }]];
}

function toFailed(current: Lifecycle, reason: string, at: number): Lifecycle {
  return { ...current, state: { name: "failed", reason, at } };
}
