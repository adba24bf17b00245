import { McpError } from "../../errors.ts";
import type { McpConnection } from "../connection.ts";
import type { ServerLog } from "./server_log.ts";

/** Lines of the log in the reason of a failure. */
const REASON_LINES = 5;

/**
 * Returns the reason why a server could not be started, with its last output. It holds no secrets of the configuration.
 */
export function toReason(error: unknown, log: ServerLog): string {
  if (error instanceof McpError) {
    // The message may be the server's, and hold what it was given.
    return withLog(log.redact(error.message.replace(/^Cannot [^"]*"[^"]*": /, "")), log);
  }
  log.add(String(error));
  return withLog("the gateway failed", log);
}

const OUTPUT = "; its last output was:\n";

/** Appends the last output of a server to the reason of its end. */
export function withLog(reason: string, log: ServerLog): string {
  const lines = log.last(REASON_LINES, { sinceStart: true });
  return lines.length === 0 ? reason : `${reason}${OUTPUT}${lines.join("\n")}`;
}

/** Removes what {@linkcode withLog} has appended: it is for the operator, not for clients. */
export function withoutLog(reason: string): string {
  return reason.split(OUTPUT, 1).join();
}

/** Returns a connection whose errors hold no secrets of the configuration: their messages may be the server's. */
export function redactErrors(connection: McpConnection, log: ServerLog): McpConnection {
  async function redacted<Result>(exchange: Promise<Result>): Promise<Result> {
    try {
      return await exchange;
    } catch (error) {
      if (!(error instanceof McpError)) throw error;
      // The cause has the server's words too.
      throw new McpError(log.redact(error.message), { status: error.status });
    }
  }
  return {
    ...connection,
    listTools: (signal) => redacted(connection.listTools(signal)),
    callTool: (name, input, signal) => redacted(connection.callTool(name, input, signal)),
  };
}
