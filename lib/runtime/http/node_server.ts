import { getRequestListener } from "@hono/node-server";
import type { IncomingMessage, RequestListener, ServerResponse } from "node:http";
import { type BodyReader, setBodyReader } from "./direct_request.ts";
import { directBodyOf, type PulledBody } from "./direct_body.ts";

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
    else await sendPulled(outgoing, response, body);
    return ALREADY_SENT;
  });
}

/** Tells `@hono/node-server` that nothing is left to send. Source: its `utils/response` */
const ALREADY_SENT = new Response(null, { headers: { "x-hono-already-sent": "true" } });

function isHttp1(outgoing: object): outgoing is ServerResponse<IncomingMessage> {
  return "writableNeedDrain" in outgoing;
}

function sendText(outgoing: ServerResponse, { status, headers }: Response, text: string): void {
  outgoing.writeHead(status, { ...Object.fromEntries(headers), "content-length": Buffer.byteLength(text) });
  outgoing.end(text);
}

/** Writes a body as fast as the client reads it. */
async function sendPulled(
  outgoing: ServerResponse,
  { status, headers }: Response,
  body: PulledBody,
): Promise<void> {
  outgoing.writeHead(status, Object.fromEntries(headers));
  let wake = () => {};
  outgoing.on("drain", () => wake());
  outgoing.on("close", () => {
    wake();
    void body.cancel();
  });
  body.start({
    write: (text) => void outgoing.write(text),
    close: () => void outgoing.end(),
    get writable() {
      return !outgoing.writableNeedDrain;
    },
  });
  while (!body.ended && !outgoing.destroyed) {
    if (outgoing.writableNeedDrain) await new Promise<void>((resolve) => wake = resolve);
    else await body.pull();
  }
}

function hasBody({ method }: Request): boolean {
  return method !== "GET" && method !== "HEAD";
}

/** Bytes of a request's body that are kept for a slow reader before its connection is paused. */
const MAX_KEPT_BYTES = 64 * 1024;

/** Reads the body of a request. A read returns all bytes that have arrived. */
class IncomingBody implements BodyReader {
  readonly #incoming: IncomingMessage;
  #pieces: Uint8Array[] = [];
  #keptBytes = 0;
  #state: "new" | "open" | "ended" | "failed" = "new";
  #failure: unknown;
  /** Ends the wait of a read. */
  #wake = (): void => {};

  constructor(incoming: IncomingMessage) {
    this.#incoming = incoming;
  }

  async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (this.#state === "new") this.#open();
    while (this.#pieces.length === 0 && this.#state === "open") {
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
    const [first] = this.#pieces;
    if (first !== undefined) {
      const value = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
      this.#pieces = [];
      this.#keptBytes = 0;
      if (this.#state === "open") this.#incoming.resume();
      return { done: false, value };
    }
    if (this.#state === "failed") throw this.#failure;
    return { done: true, value: undefined };
  }

  releaseLock(): void {
    if (this.#state === "open") this.#incoming.pause();
    this.#close("failed", new TypeError("The reader was released"));
  }

  readonly #onData = (piece: Uint8Array): void => {
    this.#pieces.push(piece);
    this.#keptBytes += piece.byteLength;
    if (this.#keptBytes > MAX_KEPT_BYTES) this.#incoming.pause();
    this.#wake();
  };
  readonly #onEnd = (): void => this.#close("ended");
  readonly #onFailure = (error: unknown): void => this.#close("failed", error);
  readonly #onClose = (): void => this.#close("failed", new TypeError("The connection was closed"));

  #open(): void {
    const { readableEnded, destroyed, errored } = this.#incoming;
    this.#state = readableEnded ? "ended" : destroyed ? "failed" : "open";
    this.#failure = errored;
    if (this.#state !== "open") return;
    this.#incoming.on("data", this.#onData).on("end", this.#onEnd)
      .on("error", this.#onFailure).on("close", this.#onClose);
  }

  #close(state: "ended" | "failed", failure?: unknown): void {
    if (this.#state === "ended" || this.#state === "failed") return;
    this.#state = state;
    this.#failure = failure;
    this.#incoming.off("data", this.#onData).off("end", this.#onEnd)
      .off("error", this.#onFailure).off("close", this.#onClose);
    this.#wake();
  }
}
