import { setTimeout } from "node:timers/promises";
import { McpError } from "../../errors.ts";
import { connectTo } from "../connection.ts";
import { type ChildExit, startChild } from "./child.ts";
import type { ServerConfig, StdioServer } from "./server_config.ts";
import type { LinkEnd, OpenOptions, ServerLink } from "./server_link.ts";
import { createStdioTransport } from "./stdio_transport.ts";

/** Options of {@linkcode openStdioLink}. */
export interface StdioOptions extends OpenOptions {
  /** Name and version of the gateway. */
  client: { name: string; version: string };
  maxResultChars: number;
  /** Variables that every server receives beside its own. */
  inherited: Readonly<Record<string, string>>;
}

/** Starts a server as a process and connects to it, as {@linkcode OpenLink} says. */
export async function openStdioLink(
  config: ServerConfig & StdioServer,
  { signal, log, client, maxResultChars, inherited }: StdioOptions,
): Promise<ServerLink> {
  signal.throwIfAborted();
  const child = await startChild(config, { inherited, onStderr: (bytes) => log.write(bytes) });
  const end = async (force: boolean) => {
    const left = await child.end({ force });
    if (left > 0) log.add(`${left} processes of the server could not be ended`);
  };
  // The stdout may end shortly before the process does, and its last words may come shortly after.
  const findExit = async () => {
    const exit = await Promise.race([child.exited, wait()]);
    await Promise.race([child.stderrEnded, wait()]);
    return exit;
  };
  try {
    const connection = await connectTo(createStdioTransport(child, log), {
      name: config.name,
      client,
      signal,
      maxResultChars,
    });
    return {
      connection,
      pid: child.pid,
      ended: connection.closed.then(findExit).then(toLinkEnd),
      look: () => child.look(),
      async close({ force = false } = {}) {
        // The stdin is closed first: a server may finish its calls.
        await end(force);
        await connection.close();
      },
    };
  } catch (error) {
    const exit = signal.aborted ? undefined : await findExit();
    await end(true);
    signal.throwIfAborted();
    throw exit === undefined ? error : new McpError(toLinkEnd(exit).reason, { cause: error });
  }
}

/** Time to wait for the exit of a process that has closed its stdout, and for the end of its stderr. */
const EXIT_WAIT_MS = 300;

function wait(): Promise<undefined> {
  return setTimeout(EXIT_WAIT_MS, undefined, { ref: false });
}

function toLinkEnd(exit: ChildExit | undefined): LinkEnd {
  if (exit === undefined) return { reason: "it closed its stdout", clean: false };
  return exit.signal === null
    ? { reason: `it exited with status ${exit.code ?? "unknown"}`, clean: exit.code === 0 }
    : { reason: `it was ended by ${exit.signal}`, clean: false };
}
