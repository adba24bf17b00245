import { ApiError } from "../../base/errors.ts";
import { LruMap } from "../../base/lru.ts";

/** Reason of the end of a call that its client has cancelled. */
export class CallCancelled extends ApiError {
  constructor() {
    super("api_error", "The client cancelled the call");
  }
}

/** An MCP session of a client, or what stands for it: a request without one. */
export interface McpSession {
  /** Name of the client's key. */
  client: string;
  id: string;
}

/** A call that runs. */
export interface OpenCall {
  /** Fires with {@linkcode CallCancelled} when the client has cancelled the call or ended its session. */
  signal: AbortSignal;
  end(): void;
}

/** The sessions that have calls or have ended. A session needs no entry otherwise, so it outlives a restart. */
export interface OpenCalls {
  /** Registers a call until its end; undefined if the session has too many. */
  start(session: McpSession, call: string | number): OpenCall | undefined;
  /** Cancels the call of a session with this id, if it runs. */
  cancel(session: McpSession, call: string | number): void;
  /** Ends a session and cancels its calls. */
  endSession(session: McpSession): void;
  hasEnded(session: McpSession): boolean;
}

/** Calls of one session at the same time, as many as of one turn of a message. */
const MAX_CALLS = 64;

/** Ended sessions that are remembered. */
const MAX_ENDED = 10_000;

/** Creates a register without calls. */
export function createOpenCalls(): OpenCalls {
  const sessions = new Map<string, Map<symbol, { call: string | number; controller: AbortController }>>();
  const ended = new LruMap<string, true>(MAX_ENDED);
  const abort = (session: McpSession, matches: (call: string | number) => boolean) => {
    for (const { call, controller } of sessions.get(toKey(session))?.values() ?? []) {
      if (matches(call)) controller.abort(new CallCancelled());
    }
  };
  return {
    start(session, call) {
      const key = toKey(session);
      const calls = sessions.get(key) ?? new Map();
      if (calls.size >= MAX_CALLS) return undefined;
      const controller = new AbortController();
      // Two calls may have the same id: it is the client's.
      const entry = Symbol();
      calls.set(entry, { call, controller });
      sessions.set(key, calls);
      return {
        signal: controller.signal,
        end() {
          calls.delete(entry);
          if (calls.size === 0) sessions.delete(key);
        },
      };
    },
    cancel: (session, call) => abort(session, (other) => other === call),
    endSession(session) {
      ended.set(toKey(session), true);
      abort(session, () => true);
    },
    hasEnded: (session) => ended.get(toKey(session)) === true,
  };
}

function toKey({ client, id }: McpSession): string {
  return JSON.stringify([client, id]);
}
