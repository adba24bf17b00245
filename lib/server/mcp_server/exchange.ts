import type { Toolbox } from "../../../tools/toolbox/toolbox.ts";
import { isObject } from "../../base/json.ts";
import { startDeadline } from "../deadline.ts";
import { RPC_CODES, toRpcId } from "./errors.ts";
import type { McpRequest } from "./mcp_request.ts";
import { observeEnd } from "./observe_end.ts";
import { CallCancelled, type McpSession } from "./open_calls.ts";
import { runCall } from "./run_call.ts";
import { createMcpServer } from "./server.ts";
import { SESSION_HEADER } from "./session.ts";

/** Options of {@linkcode answerRpc}. */
export interface ExchangeOptions {
  toolbox: Toolbox;
  /** Undefined if the request names none. */
  session: McpSession | undefined;
  /** One JSON-RPC message, or a batch of them; not validated yet. */
  body: unknown;
  /** Called when the answer has ended. */
  onEnd(): void;
}

/**
 * Answers the JSON-RPC messages of one request by a server of their own, which ends with the answer.
 *
 * The answer to `initialize` has the id of a new session. A `notifications/cancelled` ends calls of its session; in a
 * protocol version without sessions, clients cancel by closing the stream of the answer.
 */
export async function answerRpc(
  { request, gateway, requestLog }: McpRequest,
  { toolbox, session, body, onEnd }: ExchangeOptions,
): Promise<Response> {
  const { caller: { client, key, sessionId }, requestId } = requestLog;
  // The package would open a stream that stays empty: the tools do not change.
  if (isObject(body) && body.method === "subscriptions/listen") return methodNotFoundResponse(body.id);
  const messages: unknown[] = Array.isArray(body) ? body : [body];
  const isOnlyRequest = messages.filter((message) => isObject(message) && "id" in message).length === 1;
  if (session !== undefined) cancelledIds(messages).forEach((id) => gateway.mcpCalls.cancel(session, id));

  const sdk = await import("@modelcontextprotocol/server");
  const deadline = startDeadline(request.signal, gateway, gateway.config.requestTimeout * 1000);
  const slots = createSlots();
  let failure: Error | undefined;
  const handler = sdk.createMcpHandler(() => {
    const server = createMcpServer(sdk, {
      toolbox,
      async run(call) {
        try {
          return await runCall(gateway, call, {
            toolbox,
            caller: { client, key, sessionId: session?.id ?? sessionId },
            session: session ?? { client, id: requestId },
            requestId,
            observer: requestLog,
            signal: deadline.signal,
            onSlotDone: (release) => slots.add(release),
          });
        } catch (error) {
          // A cancelled request gets no answer. In a batch, the stream stays open for the other ones.
          if (error instanceof CallCancelled && isOnlyRequest) await server.close();
          throw error;
        }
      },
    });
    return server;
  }, {
    // A stream keeps its connection alive, and shows when the client has left, on every runtime.
    responseMode: "sse",
    keepAliveMs: gateway.config.pingInterval * 1000,
    onerror: (error) => failure = error,
  });
  const response = await handler.fetch(request, { parsedBody: body });
  response.headers.delete("connection");
  if (response.ok && isInitialize(body)) response.headers.set(SESSION_HEADER, gateway.newId("mcp_"));
  const isStream = response.headers.get("content-type")?.startsWith("text/event-stream");
  if (!isStream) {
    deadline.stop();
    slots.release();
    if (response.status >= 500) requestLog.end("failed", response.status, failure);
    return response;
  }
  requestLog.streaming = true;
  return observeEnd(response, request.signal, (outcome, error) => {
    deadline.stop();
    slots.release();
    onEnd();
    requestLog.end(outcome, response.status, error);
  });
}

/** Concurrency slots that are held until the answer has ended. */
interface Slots {
  add(release: () => void): void;
  release(): void;
}

function createSlots(): Slots {
  const held: (() => void)[] = [];
  let ended = false;
  return {
    add: (release) => ended ? release() : void held.push(release),
    release() {
      ended = true;
      for (const release of held.splice(0)) release();
    },
  };
}

/** Source: https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http */
function methodNotFoundResponse(id: unknown): Response {
  const error = { code: RPC_CODES.methodNotFound, message: "Method not found" };
  return Response.json({ jsonrpc: "2.0", id: toRpcId(id), error }, { status: 404 });
}

function isInitialize(body: unknown): boolean {
  return isObject(body) && body.method === "initialize";
}

/** Returns the ids of the requests that the messages cancel. */
function cancelledIds(messages: readonly unknown[]): (string | number)[] {
  return messages.flatMap((message) => {
    if (!isObject(message) || message.method !== "notifications/cancelled") return [];
    const { requestId } = isObject(message.params) ? message.params : {};
    return typeof requestId === "string" || typeof requestId === "number" ? [requestId] : [];
  });
}
