import { McpError } from "../../errors.ts";
import type { ServerLog } from "./server_log.ts";

/** Lines of the log in the reason of a failure. */
const REASON_LINES = 5;

/** Returns the reason why a server could not be started, with its last output. It holds no secrets of the configuration. */
export function toReason(error: unknown, log: ServerLog): string {
  if (error instanceof McpError) {
    // The message may be the server's, and hold what it was given.
    return withLog(log.redact(error.message.replace(/^Cannot [^"]*"[^"]*": /, "")), log);
  }
  log.add(String(error));
  return withLog("the gateway failed", log);
}

/** Appends the last output of a server to the reason of its end. */
export function withLog(reason: string, log: ServerLog): string {
  const lines = log.last(REASON_LINES, { sinceStart: true });
  return lines.length === 0 ? reason : `${reason}; its last output was:\n${lines.join("\n")}`;
}
