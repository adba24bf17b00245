import {
  Client,
  InsufficientScopeError,
  type JsonSchemaValidator,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  SseError,
  type Transport,
} from "@modelcontextprotocol/client";
import * as v from "valibot";
import { raceAbort } from "../abort.ts";
import type { JsonObject, ToolResult } from "../call.ts";
import { McpError, ToolError } from "../errors.ts";
import { GATEWAY_ERROR, RAW_RESULT } from "./http_transport.ts";
import { isObject } from "./json.ts";
import { toToolResult } from "./result.ts";
import { type McpToolList, ToolListReader } from "./tool_list.ts";

/** One connection to an MCP server, after `initialize`. Text from the server is bounded in size, but not trusted. */
export interface McpConnection {
  /**
   * Reads all pages of the server's tool list, up to the limits of {@linkcode ToolListReader}.
   *
   * @throws {McpError} if the server does not answer, or its answer is not a list of tools.
   * @throws the reason of the signal, if it is aborted.
   */
  listTools(signal: AbortSignal): Promise<McpToolList>;
  /**
   * Calls a tool. A failure of the tool itself is a result with `isError`.
   *
   * @throws {McpError} if the server rejects the call, does not answer, or its answer is not a result.
   * @throws the reason of the signal, if it is aborted.
   */
  callTool(name: string, input: JsonObject, signal: AbortSignal): Promise<ToolResult>;
  /**
   * Checks that the server answers.
   *
   * @throws {McpError} if it does not.
   * @throws the reason of the signal, if it is aborted.
   */
  ping(signal: AbortSignal): Promise<void>;
  /** Resolves when the connection is closed, by either side. Over HTTP, the server cannot close it. */
  readonly closed: Promise<void>;
  /** Closes the connection, and the session of a server over HTTP. Never rejects. */
  close(): Promise<void>;
}

/** MCP servers that the operator has configured. Implemented by `tools/mcp/managed`. */
export interface ManagedServers {
  /** True if the configuration has a server of this name. */
  has(name: string): boolean;
  /** Returns the names of all servers, in the order of the configuration. */
  names(): string[];
  /**
   * Returns the connection to a server, which all messages share. A stopped server is started.
   *
   * @throws {McpError} if the server cannot be started.
   * @throws the reason of the signal, if it is aborted.
   */
  connect(name: string, signal: AbortSignal): Promise<McpConnection>;
}

/** Options of {@linkcode connectTo}. */
export interface ConnectOptions {
  /** Name of the server, for error messages. */
  name: string;
  /** Name and version of the gateway, as sent to the server. */
  client: { name: string; version: string };
  /** Aborts the connecting. Later it has no effect. */
  signal: AbortSignal;
  /** Maximum length of a result's text, in characters. Default: 200,000. */
  maxResultChars?: number | undefined;
  /** Revision of the protocol, if it is one without `initialize`: 2026-07-28. */
  revision?: string | undefined;
  /** Ends the session of a server over HTTP, before the transport is closed. */
  endSession?: (() => Promise<void>) | undefined;
}

/** Upper limit of one exchange, in milliseconds. Callers pass signals with shorter timeouts. */
const MAX_EXCHANGE_MS = 24 * 60 * 60 * 1000;

const Anything = v.looseObject({});

/**
 * Connects to an MCP server: starts the transport, and exchanges `initialize`.
 *
 * Declares no capabilities, so that a server asks for no sampling, elicitation or roots. Results are checked by the
 * gateway's own schemas: one tool that breaks the protocol does not hide the others.
 *
 * @throws {McpError} if the server does not answer as an MCP server. The transport is closed then.
 * @throws the reason of the signal, if it is aborted. The transport is closed then.
 */
export async function connectTo(
  transport: Transport,
  { name, client: info, signal, maxResultChars, revision, endSession }: ConnectOptions,
): Promise<McpConnection> {
  // Output schemas come from the server. They are not compiled: the model reads the result, whatever its form.
  const client = new Client(info, {
    capabilities: {},
    jsonSchemaValidator: { getValidator: acceptAll },
    ...(revision !== undefined && { versionNegotiation: { mode: { pin: revision } } }),
  });
  let onClosed = () => {};
  const closed = new Promise<void>((resolve) => onClosed = resolve);
  client.onclose = () => onClosed();
  // The failure of an exchange rejects its promise. The other errors have no effect on an exchange.
  client.onerror = () => {};
  try {
    await raceAbort(client.connect(transport, { signal, timeout: MAX_EXCHANGE_MS }), signal);
  } catch (error) {
    await client.close().catch(() => {});
    signal.throwIfAborted();
    throw toMcpError(name, "connect to", error);
  }

  async function exchange(method: string, params: JsonObject | undefined, callSignal: AbortSignal) {
    try {
      const options = { signal: callSignal, timeout: MAX_EXCHANGE_MS };
      const result = await client.request({ method, ...(params && { params }) }, Anything, options);
      const raw = result[RAW_RESULT];
      return isObject(raw) ? raw : result;
    } catch (error) {
      callSignal.throwIfAborted();
      throw toMcpError(name, ACTIONS[method] ?? "ask", error);
    }
  }

  return {
    closed,
    async listTools(listSignal) {
      const reader = new ToolListReader(name);
      let cursor: string | undefined;
      do {
        cursor = reader.addPage(
          await exchange("tools/list", cursor === undefined ? {} : { cursor }, listSignal),
        );
      } while (cursor !== undefined);
      return reader.end();
    },
    async callTool(tool, input, callSignal) {
      const result = await exchange("tools/call", { name: tool, arguments: input }, callSignal);
      return toToolResult(result, { server: name, maxChars: maxResultChars });
    },
    async ping(pingSignal) {
      await exchange("ping", undefined, pingSignal);
    },
    async close() {
      await endSession?.().catch(() => {});
      await client.close().catch(() => {});
      onClosed();
    },
  };
}

/** Returns a validator that accepts every value. */
function acceptAll<T>(): JsonSchemaValidator<T> {
  return (input) => ({ valid: true, data: input as T, errorMessage: undefined });
}

/**
 * Converts a failure to an {@linkcode McpError}. Only the message of a JSON-RPC error is the server's, and bounded:
 * bodies and addresses stay out of the message.
 */
function toMcpError(server: string, action: string, error: unknown): McpError {
  if (error instanceof McpError) return error;
  // Its message names the URL, which may hold a key in its query.
  if (error instanceof ToolError) {
    return new McpError(`Cannot ${action} MCP server "${server}": ${toReason(error)}`);
  }
  const text = `Cannot ${action} MCP server "${server}": ${describe(error)}`;
  return new McpError(text, { cause: error, status: statusOf(error) });
}

/** Returns what follows `Cannot … "…": ` in the message of an error. */
export function toReason({ message }: Error): string {
  return message.replace(/^Cannot .*": /s, "");
}

/** HTTP status of the answer that is the reason of a failure. */
function statusOf(error: unknown): number | undefined {
  if (error instanceof SdkHttpError) return error.status;
  if (error instanceof SseError) return error.code;
  return error instanceof InsufficientScopeError ? 403 : undefined;
}

/** What the gateway cannot do if an exchange fails. */
const ACTIONS: Record<string, string> = { "tools/list": "list the tools of", "tools/call": "call a tool of" };

/** Maximum length of a server's error message, in characters. */
const MAX_ERROR_CHARS = 2000;

function describe(error: unknown): string {
  if (error instanceof ProtocolError) {
    const { message, code, data } = error;
    if (data === GATEWAY_ERROR) return message;
    const text = message.length > MAX_ERROR_CHARS ? `${message.slice(0, MAX_ERROR_CHARS)}…` : message;
    return `it returned error ${code}: ${text}`;
  }
  const status = statusOf(error);
  if (status !== undefined) return `it answered with HTTP status ${status}`;
  if (error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed) {
    return "it closed the connection";
  }
  return "it did not answer as an MCP server";
}
