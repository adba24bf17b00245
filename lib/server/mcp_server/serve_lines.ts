import { ApiError } from "../../base/errors.ts";
import { LOCAL } from "../../config/gateway_keys.ts";
import { ConfigError } from "../../config/parse.ts";
import { logWarning } from "../../observability/log.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { GatewayContext } from "../context.ts";
import { type LineStreams, LineTransport } from "./line_transport.ts";
import { runCall } from "./run_call.ts";
import { createMcpServer } from "./server.ts";

/** Time for calls that run when the input ends, in milliseconds. */
const LAST_CALLS_MS = 1000;

/** Time for a client to read the last answers, in milliseconds. */
const LAST_READ_MS = 10_000;

/** A connection that serves the tools. */
export interface LineServer {
  /** Settles when the input has ended, its calls have ended or been cancelled, and the answers have been read. */
  ended: Promise<void>;
  /** Ends the connection and cancels its calls. */
  close(): Promise<void>;
}

/**
 * Serves the gateway's tools as an MCP server to the one client at the other end of the streams, which needs no key.
 *
 * @throws {ConfigError} if the operator has enabled no tools, or `WORKSPACE_ROOT` cannot be used.
 */
export async function serveLines(gateway: GatewayContext, streams: LineStreams): Promise<LineServer> {
  const toolbox = await gateway.loadToolbox?.();
  if (toolbox === undefined) throw new ConfigError(["Cannot serve tools over MCP: TOOLS is not set"]);
  const sdk = await import("@modelcontextprotocol/server");
  const { serveStdio } = await import("@modelcontextprotocol/server/stdio");
  const { isJSONRPCRequest, isJSONRPCNotification, isJSONRPCResponse } = sdk;
  const transport = new LineTransport(
    streams,
    (value) => isJSONRPCRequest(value) || isJSONRPCNotification(value) || isJSONRPCResponse(value),
  );
  const session = { client: LOCAL, id: gateway.newId("mcp_") };
  const stopped = new AbortController();
  const onerror = (error: unknown) => logWarning("error of the MCP connection", { error });
  const connection = serveStdio(
    () =>
      createMcpServer(sdk, {
        toolbox,
        run: (call) =>
          runCall(gateway, call, {
            toolbox,
            caller: { client: LOCAL, sessionId: session.id },
            session,
            requestId: gateway.newId("req_"),
            signal: stopped.signal,
            onSlotDone: (release) => release(),
          }),
      }),
    { transport, onerror },
  );
  const close = async () => {
    stopped.abort(new ApiError("api_error", "The connection has ended"));
    await connection.close();
  };
  return {
    close,
    ended: Promise.race([transport.read().catch(onerror), transport.closed]).then(async () => {
      await waitAtMost(transport.whenIdle(), LAST_CALLS_MS, gateway.clock);
      await close();
      await waitAtMost(transport.whenWritten(), LAST_READ_MS, gateway.clock);
    }),
  };
}

function waitAtMost(settled: Promise<void>, ms: number, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const cancel = clock.after(ms, resolve);
    settled.then(() => {
      cancel();
      resolve();
    });
  });
}
