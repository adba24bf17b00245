/** Reads a stream of bytes. */
export type ByteReader = Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "cancel" | "releaseLock">;

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

  constructor(reader: ReadableStreamBYOBReader) {
    this.#reader = reader;
  }

  async read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    const { done, value } = await this.#reader.read(new Uint8Array(this.#buffer));
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
