import { getRequestListener } from "@hono/node-server";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { directBodyOf, type PulledBody } from "./direct_body.ts";
import { setBodyReader } from "./direct_request.ts";
import { IncomingBody } from "./incoming_body.ts";

/**
 * Returns the listener of Node's HTTP server for a web-standard handler. Requests and responses are those of
 * `@hono/node-server`, but without its streams, which cost as much as all the rest: it reads the bodies of requests for
 * `bodyReaderOf()`, and writes those of `createDirectResponse()`, itself.
 */
export function toNodeListener(fetch: (request: Request) => Promise<Response>): RequestListener {
  return getRequestListener(async (request, { incoming, outgoing }) => {
    if (hasBody(request) && "headersDistinct" in incoming) setBodyReader(request, new IncomingBody(incoming));
    const response = await fetch(request);
    const body = directBodyOf(response);
    if (body === undefined || !isHttp1(outgoing)) return response;
    if (typeof body === "string") sendText(outgoing, response, body);
    else sendPulled(outgoing, response, body);
    return ALREADY_SENT;
  });
}

/**
 * Tells `@hono/node-server` that nothing is left to send. Source: its `utils/response`
 *
 * A clone is a response of Node. If another server of `@hono/node-server` has started, `Response` is that package's
 * class, whose responses are sent without a look at this header.
 */
const ALREADY_SENT = new Response(null, { headers: { "x-hono-already-sent": "true" } }).clone();

function isHttp1(outgoing: object): outgoing is ServerResponse<IncomingMessage> {
  return "writableNeedDrain" in outgoing;
}

function sendText(outgoing: ServerResponse, { status, headers }: Response, text: string): void {
  const list = toList(headers);
  list.push("content-length", String(Buffer.byteLength(text)));
  outgoing.writeHead(status, list);
  outgoing.end(text);
}

/** Returns names and values in turn, which Node writes as they are. */
function toList(headers: Headers): string[] {
  const list: string[] = [];
  for (const [name, value] of headers) list.push(name, value);
  return list;
}

/** Begins to write a body. The request and the response are not kept until its end. */
function sendPulled(outgoing: ServerResponse, { status, headers }: Response, body: PulledBody): void {
  outgoing.writeHead(status, toList(headers));
  // Node writes the size of an HTTP chunk, the chunk and its end one by one. As one text, they take half the time.
  const isChunked = outgoing.chunkedEncoding;
  outgoing.chunkedEncoding = false;
  outgoing.on("close", () => void body.cancel());
  body.start({
    write: (text) => void outgoing.write(isChunked ? toHttpChunk(text) : text),
    close: () => void outgoing.end(isChunked ? LAST_CHUNK : undefined),
    get writable() {
      return !outgoing.writableNeedDrain;
    },
  });
  void writePieces(outgoing, body);
}

/** Writes the pieces of a body as fast as the client reads them. */
async function writePieces(outgoing: ServerResponse, body: PulledBody): Promise<void> {
  while (!body.ended && !outgoing.destroyed) {
    if (outgoing.writableNeedDrain) await drained(outgoing);
    else if (!body.write()) await body.ready();
  }
}

/** Waits until the client has read what was written, or has left. */
function drained(outgoing: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      outgoing.off("drain", end).off("close", end);
      resolve();
    };
    outgoing.on("drain", end).on("close", end);
  });
}

function hasBody({ method }: Request): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Returns a text in the form of the transfer coding `chunked`. An empty text would be its end. */
function toHttpChunk(text: string): string {
  return text === "" ? "" : `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
}

const LAST_CHUNK = "0\r\n\r\n";
