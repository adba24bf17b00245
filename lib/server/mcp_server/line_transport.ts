import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/server";
import { findExcess } from "../../base/json_bounds.ts";
import { isObject } from "../../base/json.ts";
import { RPC_CODES, toRpcId } from "./errors.ts";

/** Input and output of a connection, each message on one line. */
export interface LineStreams {
  input: AsyncIterable<Uint8Array>;
  /** Writes a line and its end. Rejects if the client no longer reads. */
  write(line: string): Promise<void>;
}

/** Maximum size of a message, in bytes; that of a request's body over HTTP. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;

const LINE_FEED = 10;

/**
 * The stdio transport of MCP: JSON-RPC messages, one on each line. Every line that is not a message gets an error, so
 * that its sender does not wait.
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
 */
export class LineTransport implements Transport {
  onmessage?: Transport["onmessage"];
  onclose?: () => void;
  onerror?: (error: Error) => void;
  /** Settles when the transport is closed: by its server, or because the client no longer reads. */
  readonly closed: Promise<void>;
  #onClosed = () => {};
  readonly #streams: LineStreams;
  readonly #isMessage: (value: unknown) => value is JSONRPCMessage;
  /** Ids of the requests that have no answer yet. */
  readonly #open = new Set<unknown>();
  #onIdle = () => {};
  #closed = false;
  #lastWrite = Promise.resolve();

  constructor(streams: LineStreams, isMessage: (value: unknown) => value is JSONRPCMessage) {
    this.#streams = streams;
    this.#isMessage = isMessage;
    this.closed = new Promise((resolve) => this.#onClosed = resolve);
  }

  async start(): Promise<void> {}

  async send(message: JSONRPCMessage): Promise<void> {
    if (this.#closed) return;
    await this.#write(message);
    if (!("method" in message)) this.#settle(message.id);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#onIdle();
    this.#onClosed();
    this.onclose?.();
  }

  /** Reads the messages of the input until it ends, or the transport is closed. */
  async read(): Promise<void> {
    let line: Uint8Array[] = [];
    let size = 0;
    for await (const chunk of this.#streams.input) {
      if (this.#closed) return;
      let start = 0;
      for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, start)) {
        const piece = chunk.subarray(start, end);
        this.#receive([...line, piece], size + piece.byteLength);
        line = [];
        size = 0;
        start = end + 1;
      }
      const rest = chunk.subarray(start);
      size += rest.byteLength;
      // The rest of a line that is too long is counted, not kept.
      if (size <= MAX_LINE_BYTES) line.push(rest);
      else line = [];
    }
    if (size > 0) this.#receive(line, size);
  }

  /** Settles when every request has its answer. */
  whenIdle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve;
      if (this.#open.size === 0 || this.#closed) resolve();
    });
  }

  /** Settles when the client has received what was written, or no longer reads. */
  whenWritten(): Promise<void> {
    return this.#lastWrite;
  }

  #receive(pieces: readonly Uint8Array[], size: number): void {
    const message = this.#parse(pieces, size);
    if (message === undefined || this.#closed) return;
    if ("method" in message) {
      if ("id" in message) this.#open.add(message.id);
      else if (message.method === "notifications/cancelled") this.#settle(message.params?.requestId);
    }
    this.onmessage?.(message);
  }

  /** Returns the message of a line. Answers a line without one with an error and returns undefined. */
  #parse(pieces: readonly Uint8Array[], size: number): JSONRPCMessage | undefined {
    if (size > MAX_LINE_BYTES) return this.#reject("it exceeds 32 MiB");
    const text = decode(pieces, size);
    if (text === undefined) return this.#reject("it is not valid UTF-8");
    if (text.trim() === "") return undefined;
    const excess = findExcess(text);
    if (excess !== undefined) return this.#reject(`it has too many ${EXCESS_NAMES[excess]}`);
    const json = parseJson(text);
    if (json === undefined) return this.#reject("it is not JSON", { code: RPC_CODES.parseError });
    if (this.#isMessage(json)) return json;
    return this.#reject("it is not a message of JSON-RPC", { id: isObject(json) ? json.id : undefined });
  }

  #reject(
    why: string,
    { code = RPC_CODES.invalidRequest, id }: { code?: number; id?: unknown } = {},
  ): undefined {
    const error = { code, message: `Cannot read the line: ${why}` };
    void this.#write({
      jsonrpc: "2.0",
      id: toRpcId(id),
      error,
    });
  }

  /** Writes a message. If the client no longer reads, closes the transport. */
  #write(message: object): Promise<void> {
    this.#lastWrite = this.#streams.write(JSON.stringify(message)).catch(() => this.close());
    return this.#lastWrite;
  }

  #settle(id: unknown): void {
    this.#open.delete(id);
    if (this.#open.size === 0) this.#onIdle();
  }
}

const EXCESS_NAMES = { depth: "levels", values: "values", names: "names of members" };

function decode(pieces: readonly Uint8Array[], size: number): string | undefined {
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
