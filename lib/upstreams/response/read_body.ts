import { END, PassingGenerator, readWhile, toPassing } from "../../base/passing_generator.ts";
import { prepend } from "../../base/relay.ts";
import type { ByteSource } from "../../runtime/http/byte_source.ts";
import type { Waits } from "../idle_timeout.ts";

/** Options for reading a body. */
export interface ReadOptions {
  /** Aborts the read. */
  signal: AbortSignal;
  /** Measures the waits for data. */
  waits?: Waits | undefined;
}

/**
 * Reads a body in chunks.
 *
 * The body is cancelled when the signal fires or the consumer stops. The connection to a silent upstream is therefore
 * closed even if the transport ignores the signal.
 *
 * @throws the signal's reason, once it has fired.
 */
export function readBytes(body: ByteSource | undefined, options: ReadOptions): AsyncGenerator<Uint8Array> {
  return new BodyReader(body, options);
}

class BodyReader extends PassingGenerator<Uint8Array> {
  readonly #signal: AbortSignal;
  readonly #waits: Waits | undefined;
  /** Undefined once the body has ended. */
  #source: ByteSource | undefined;
  #waiting = false;
  readonly #cancel = (): void => void this.#source?.cancel(this.#signal.reason).catch(() => {});

  constructor(body: ByteSource | undefined, { signal, waits }: ReadOptions) {
    super();
    this.#signal = signal;
    this.#waits = waits;
    this.#source = body;
    signal.addEventListener("abort", this.#cancel, { once: true });
    if (signal.aborted) this.#cancel();
  }

  poll(): IteratorResult<Uint8Array, undefined> | undefined {
    if (this.#source === undefined) return END;
    let read: ReadableStreamReadResult<Uint8Array> | undefined;
    try {
      read = this.#source.poll();
    } catch (error) {
      this.#end({ answered: false });
      throw error;
    }
    if (read === undefined) return undefined;
    this.#endWait({ answered: true });
    if (!read.done) return read;
    this.#end({ answered: true });
    this.#signal.throwIfAborted();
    return END;
  }

  ready(): Promise<void> {
    if (this.#source === undefined) return Promise.resolve();
    if (!this.#waiting) this.#waits?.begin();
    this.#waiting = true;
    return this.#source.ready();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#cancel();
    this.#end({ answered: true });
    return END;
  }

  #end(how: { answered: boolean }): void {
    this.#endWait(how);
    this.#signal.removeEventListener("abort", this.#cancel);
    this.#source = undefined;
  }

  #endWait(how: { answered: boolean }): void {
    if (this.#waiting) this.#waits?.end(how);
    this.#waiting = false;
  }
}

/** Reads bytes as text. Returns `undefined` if there are more than `limit`. */
export async function readText(
  chunks: AsyncIterable<Uint8Array>,
  { limit }: { limit: number },
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of chunks) {
    size += bytes.byteLength;
    if (size > limit) return undefined;
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}

/**
 * Reads the beginning of a body: up to its first characters that are not blank, or to its end. Returns them, and the
 * whole body.
 */
export async function peekText(
  chunks: AsyncGenerator<Uint8Array>,
): Promise<{ start: string; chunks: AsyncGenerator<Uint8Array> }> {
  const decoder = new TextDecoder();
  const read: Uint8Array[] = [];
  let start = "";
  let size = 0;
  const source = toPassing(chunks);
  await readWhile(source, (bytes) => {
    read.push(bytes);
    size += bytes.byteLength;
    start = (start + decoder.decode(bytes.subarray(0, USUAL_BYTES), STREAM)).trimStart();
    if (start.length < PEEKED_CHARS) {
      start = (start + decoder.decode(bytes.subarray(USUAL_BYTES), STREAM)).trimStart();
    }
    return start.length < PEEKED_CHARS && !DECISIVE_START.test(start) && size < MAX_PEEKED_BYTES;
  });
  return { start, chunks: prepend(read, source) };
}

const STREAM = { stream: true };
/** Bytes of a read that usually have enough characters. */
const USUAL_BYTES = 64;

/** Characters that tell the format of an answer: JSON, HTML or the comment of an event stream. */
const DECISIVE_START = /^[{[<:]/;
/** Enough characters to recognise the first field of an event stream. */
const PEEKED_CHARS = 6;
/** Maximum number of bytes that are held back for that. Blank lines may be sent to keep a connection open. */
const MAX_PEEKED_BYTES = 64 * 1024;
