import type { Transport } from "@modelcontextprotocol/client";
import { JsonLimit } from "../json_limit.ts";
import type { Child } from "./child.ts";
import type { ServerLog } from "./server_log.ts";

type Message = Parameters<Transport["send"]>[0];

/** Maximum length of one message of a server, in characters. */
const MAX_MESSAGE_CHARS = 16 * 1024 * 1024;
/** Requests of a server that are being answered; further ones are dropped. A server may not read the answers. */
const MAX_ANSWERING = 100;
/** Time to read the rest of stdout after the process has ended. */
const EXIT_GRACE_MS = 200;

/**
 * Creates the transport of a server on stdin and stdout: one JSON message a line.
 *
 * Lines that are no messages go to the log: many servers greet there. A message that is too long, or beyond a
 * {@linkcode JsonLimit}, closes the transport. Closing it does not end the process.
 *
 * What a server sends unasked costs little time and memory: notifications and answers to no request are dropped,
 * because they change nothing, and so are requests beyond `MAX_ANSWERING`.
 *
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#stdio
 */
export function createStdioTransport(child: Child, log: ServerLog): Transport {
  const decoder = new TextDecoder();
  /** Pieces of the line that has not ended yet. */
  let pieces: string[] = [];
  let length = 0;
  let isClosed = false;
  /** Ids of the requests that the server has not answered, as text: some servers answer with another type. */
  const open = new Set<string>();
  /** Number of requests of the server whose answers are not written yet. */
  let answering = 0;

  const transport: Transport = {
    async start() {
      child.stdin.on("error", close); // the process has ended, or closed its stdin
      child.stdout.on("data", (bytes: Uint8Array) => read(bytes));
      child.stdout.on("end", close);
      child.stdout.on("error", close);
      // A process that the server has started may keep stdout open. What the server has written is read first.
      void child.exited.then(() => setTimeout(close, EXIT_GRACE_MS));
    },
    async send(message) {
      if (!("method" in message)) return await write(message).finally(() => answering--);
      if ("id" in message) open.add(String(message.id));
      else if (message.method === "notifications/cancelled") open.delete(String(message.params?.requestId));
      await write(message);
    },
    async close() {
      close();
    },
  };

  function write(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      if (isClosed) return reject(new Error("The transport is closed"));
      child.stdin.write(`${JSON.stringify(message)}\n`, (error) => error ? reject(error) : resolve());
    });
  }

  function close(): void {
    if (isClosed) return;
    isClosed = true;
    open.clear();
    pieces = [];
    transport.onclose?.();
  }

  function read(bytes: Uint8Array): void {
    if (isClosed) return;
    const lines = decoder.decode(bytes, { stream: true }).split("\n");
    for (const line of lines.slice(0, -1)) {
      const text = pieces.length === 0 ? line : pieces.join("") + line;
      pieces = [];
      length = 0;
      receive(text);
    }
    const rest = lines.at(-1) ?? "";
    if (rest === "") return;
    pieces.push(rest);
    length += rest.length;
    if (length <= MAX_MESSAGE_CHARS) return;
    log.add(`a message was longer than ${MAX_MESSAGE_CHARS} characters`);
    close();
  }

  function receive(line: string): void {
    if (isClosed || line.trim() === "") return;
    try {
      new JsonLimit().add(line);
    } catch (error) {
      log.add(error instanceof Error ? error.message : String(error));
      return close();
    }
    const message = toMessage(line);
    if (message === undefined) return log.add(line);
    if (!isExpected(message)) return;
    try {
      transport.onmessage?.(message);
    } catch (error) {
      transport.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** True if a message is an answer to an open request, or a request that can be answered. */
  function isExpected(message: Message): boolean {
    if (!("method" in message)) return open.delete(String(message.id));
    if (!("id" in message) || answering >= MAX_ANSWERING) return false;
    answering++;
    return true;
  }

  return transport;
}

/** Parses a message. Its other fields are checked by the client. */
function toMessage(line: string): Message | undefined {
  try {
    const value = JSON.parse(line);
    return value?.jsonrpc === "2.0" ? value : undefined;
  } catch {
    return undefined;
  }
}
