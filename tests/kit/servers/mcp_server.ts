import type { IncomingMessage, ServerResponse } from "node:http";
import { type Loopback, serve } from "./web.ts";

/** A JSON object. */
type Json = { [key: string]: unknown };

/** A request that the server received. */
export interface McpRequest {
  /** Method of the HTTP request. */
  http: string;
  path: string;
  headers: IncomingMessage["headers"];
  /** The JSON-RPC message; undefined for a request without a body. */
  message: Json | undefined;
}

/** The behaviour of a server; by default it has one tool, `echo`, and answers at once with JSON. */
export interface TestMcpOptions {
  /** Tools as they are listed; a function is called for each list. */
  tools?: readonly unknown[] | (() => readonly unknown[]);
  /** Tools of each page of a list. Default: all. */
  pageSize?: number;
  /** Returns the result of a call, or a JSON-RPC error. */
  call?: (name: string, input: Json) => Json | Promise<Json>;
  /** Form of the answers. `sse` sends them over a separate stream, as in the first revision. */
  transport?: "json" | "stream" | "sse";
  /** True for a server that supports only the revision 2026-07-28, which has no `initialize` and no sessions. */
  modern?: boolean;
  /** The session id that is given and required. */
  session?: string;
  /** Bearer token that is required. */
  token?: string;
  /** Certificate and key. Default: no encryption. */
  tls?: { cert: string; key: string };
  /** Answers a request in place of the server, if it returns true. */
  intercept?: (request: McpRequest, response: ServerResponse) => boolean;
}

/** An MCP server on the loopback, over HTTP. */
export interface TestMcpServer {
  url: string;
  /** `127.0.0.1:port` */
  host: string;
  port: number;
  /** The requests so far. */
  requests: McpRequest[];
  /** Methods of the JSON-RPC messages so far. */
  methods(): string[];
  close(): Promise<void>;
}

/** Result of a call that ends the streams of a server by events, and tells the client to reconnect at once. */
export const END_STREAM: Json = {};

/** The default tool of a server. */
export const ECHO = {
  name: "echo",
  description: "Repeats a word.",
  inputSchema: { type: "object", properties: { word: { type: "string" } }, required: ["word"] },
};

/** Starts a server at a free port. */
export async function serveMcp(options: TestMcpOptions = {}): Promise<TestMcpServer> {
  const requests: McpRequest[] = [];
  const streams = new Set<ServerResponse>();
  const loopback: Loopback = await serve(async (incoming, response) => {
    const text = await readText(incoming);
    const request: McpRequest = {
      http: incoming.method ?? "",
      path: incoming.url ?? "",
      headers: incoming.headers,
      message: text === "" ? undefined : JSON.parse(text),
    };
    requests.push(request);
    if (options.intercept?.(request, response)) return;
    await answer(request, response, options, streams);
  }, options.tls);
  return {
    url: `${options.tls === undefined ? "http" : "https"}://${loopback.host}/mcp`,
    host: loopback.host,
    port: loopback.port,
    requests,
    methods: () =>
      requests.flatMap(({ message }) => typeof message?.method === "string" ? [message.method] : []),
    close: () => loopback.close(),
  };
}

async function answer(
  { http, headers, message }: McpRequest,
  response: ServerResponse,
  options: TestMcpOptions,
  streams: Set<ServerResponse>,
): Promise<void> {
  const { token, session, transport = "json" } = options;
  if (token !== undefined && headers.authorization !== `Bearer ${token}`) {
    return end(response, 401, { "www-authenticate": 'Bearer resource_metadata="http://127.0.0.1:1/oauth"' });
  }
  if (transport === "sse") {
    if (http === "GET") {
      streams.add(response);
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write("event: endpoint\ndata: /messages?session=1\n\n");
      return;
    }
    if (!streams.size) return end(response, 405);
    end(response, 202);
    const reply = await toReply(message ?? {}, options);
    for (const stream of streams) {
      if (reply?.result === END_STREAM) streams.delete(stream.end("retry: 0\n\n"));
      else if (reply !== undefined) stream.write(toEvent(reply));
    }
    return;
  }
  if (http === "DELETE") return end(response, 200);
  if (http !== "POST" || message === undefined) return end(response, 405);
  if (options.modern === true && headers["mcp-protocol-version"] !== "2026-07-28") return end(response, 400);
  if (session !== undefined && message.method !== "initialize" && headers["mcp-session-id"] !== session) {
    return end(response, 404);
  }
  const reply = await toReply(message, options);
  if (reply === undefined) return end(response, 202);
  const sessionHeader = session === undefined ? {} : { "mcp-session-id": session };
  const isStream = transport === "stream";
  response.writeHead(200, {
    ...sessionHeader,
    "content-type": isStream ? "text/event-stream" : "application/json",
  });
  response.end(isStream ? toEvent(reply) : JSON.stringify(reply));
}

/** Returns the reply to a message; undefined for a notification. */
export async function toReply(message: Json, options: TestMcpOptions = {}): Promise<Json | undefined> {
  const { id, method, params } = message;
  if (id === undefined || method === undefined) return undefined;
  const kind = options.modern === true ? { resultType: "complete" } : {};
  const reply = (result: Json) =>
    "error" in result
      ? { jsonrpc: "2.0", id, ...result }
      : { jsonrpc: "2.0", id, result: result === END_STREAM ? result : { ...kind, ...result } };
  const { name, arguments: input, cursor }: Json = isJson(params) ? params : {};
  switch (method) {
    case "server/discover":
      return reply({
        supportedVersions: ["2026-07-28"],
        capabilities: { tools: {} },
        ttlMs: 0,
        cacheScope: "private",
      });
    case "initialize":
      return reply({
        protocolVersion: isJson(params) ? params.protocolVersion : "2025-11-25",
        capabilities: { tools: { listChanged: true } },
        serverInfo: { name: "test", version: "1" },
      });
    case "ping":
      return reply({});
    case "tools/list":
      return reply(toPage(options, typeof cursor === "string" ? Number(cursor) : 0));
    case "tools/call":
      return reply(await (options.call ?? echo)(String(name), isJson(input) ? input : {}));
    default:
      return reply({ error: { code: -32601, message: "Method not found" } });
  }
}

function toPage({ tools = [ECHO], pageSize = Infinity }: TestMcpOptions, start: number): Json {
  const all = typeof tools === "function" ? tools() : tools;
  const next = start + pageSize;
  return { tools: all.slice(start, next), ...(next < all.length && { nextCursor: String(next) }) };
}

function echo(_name: string, { word }: Json): Json {
  return { content: [{ type: "text", text: `You said ${word}` }] };
}

/** Writes a message as a server-sent event. */
export function toEvent(message: Json): string {
  return `event: message\ndata: ${JSON.stringify(message)}\n\n`;
}

function end(response: ServerResponse, status: number, headers: Record<string, string> = {}): void {
  response.writeHead(status, headers);
  response.end();
}

async function readText(incoming: IncomingMessage): Promise<string> {
  let text = "";
  incoming.setEncoding("utf8");
  for await (const chunk of incoming) text += chunk;
  return text;
}

function isJson(value: unknown): value is Json {
  return typeof value === "object" && value !== null;
}
