/** Reads a stream of bytes. */
export type ByteReader = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel" | "releaseLock">;

// The global of Deno, undefined on other runtimes.
declare const Deno: unknown;

/**
 * Returns the only reader of a body.
 *
 * The streams of Deno's sockets allocate 64 KiB for each read that brings no buffer, however few bytes it returns, and V8
 * then collects garbage all the time. Such a stream is read with a {@linkcode BufferedReader}.
 */
export function openReader(body: ReadableStream<Uint8Array>): ByteReader {
  if (typeof Deno === "undefined") return body.getReader();
  try {
    return new BufferedReader(body.getReader({ mode: "byob" }));
  } catch {
    return body.getReader(); // it is not a stream of a socket, or is locked
  }
}

/** Size of the first buffer: more than most events have. */
const MIN_BUFFER_BYTES = 4 * 1024;
/** Size up to which a buffer grows: that of Deno's own. */
const MAX_BUFFER_BYTES = 64 * 1024;

/**
 * Reads a byte stream through one buffer, which grows while reads fill it.
 *
 * @example Usage
 * ```ts
 * import { BufferedReader } from "./buffered_reader.ts";
 *
 * const stream = new ReadableStream({
 *   type: "bytes",
 *   start(controller) {
 *     controller.enqueue(Uint8Array.of(1, 2));
 *     controller.close();
 *   },
 * });
 * const reader = new BufferedReader(stream.getReader({ mode: "byob" }));
 * if ((await reader.read()).value?.length !== 2 || !(await reader.read()).done) throw new Error("other bytes");
 * ```
 */
export class BufferedReader implements ByteReader {
  readonly #reader: ReadableStreamBYOBReader;
  #buffer = new ArrayBuffer(MIN_BUFFER_BYTES);
  #end = (): void => {};

  constructor(reader: ReadableStreamBYOBReader) {
    this.#reader = reader;
    // A read with a buffer waits for ever if the source of a stream closes it, but does not respond to the read. A read
    // that brings the last bytes settles after the close.
    reader.closed.then(() => queueMicrotask(() => this.#end()), () => {});
  }

  read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    return new Promise((resolve, reject) => {
      this.#end = () => resolve({ done: true, value: undefined });
      this.#reader.read(new Uint8Array(this.#buffer)).then((result) => resolve(this.#take(result)), reject);
    });
  }

  #take(
    { done, value }: ReadableStreamReadResult<Uint8Array<ArrayBuffer>>,
  ): ReadableStreamReadResult<Uint8Array> {
    if (done) return { done, value: undefined };
    const { buffer, byteLength: size } = value;
    const bytes = new Uint8Array(buffer, 0, size);
    if (size < buffer.byteLength) {
      this.#buffer = buffer;
      return { done, value: bytes.slice() };
    }
    this.#buffer = new ArrayBuffer(Math.min(2 * size, MAX_BUFFER_BYTES));
    return { done, value: bytes };
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }

  releaseLock(): void {
    this.#reader.releaseLock();
  }
}
