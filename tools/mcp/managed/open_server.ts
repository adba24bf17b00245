import type { Clock } from "../../clock.ts";
import { McpError } from "../../errors.ts";
import type { ServerConfig } from "./server_config.ts";
import type { OpenLink, ServerLink } from "./server_link.ts";
import type { ServerLog } from "./server_log.ts";

/** Time within which a server must answer `initialize` and `tools/list`: less than the 30 s of a start request. */
const START_TIMEOUT_MS = 25_000;

/** Options of {@linkcode openServer}. */
export interface OpenServerOptions {
  config: ServerConfig;
  open: OpenLink;
  log: ServerLog;
  clock: Clock;
}

/**
 * Starts a server, and settles when it has listed its tools. If that fails, nothing of it is left.
 *
 * @throws {McpError} if the server cannot be started, or does not answer within 25 s.
 * @throws the reason of `opening`, if it is aborted.
 */
export async function openServer(
  { config, open, log, clock }: OpenServerOptions,
  opening: AbortController,
): Promise<ServerLink> {
  const { signal } = opening;
  const timeout = new McpError(`it did not answer as an MCP server within ${START_TIMEOUT_MS / 1000} s`);
  const cancel = clock.after(START_TIMEOUT_MS, () => opening.abort(timeout));
  let link: ServerLink | undefined;
  try {
    link = await open(config, { signal, log });
    await link.connection.listTools(signal);
    await link.look();
    signal.throwIfAborted();
    return link;
  } catch (error) {
    await link?.close({ force: true });
    throw error;
  } finally {
    cancel();
  }
}
