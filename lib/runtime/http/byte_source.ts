import { Arrivals } from "../../base/passing_generator.ts";
import { type ByteReader, openReader } from "./buffered_reader.ts";

/** The bytes of a body for one reader. */
export interface ByteSource {
  /** Returns the bytes that have arrived, or the end; `undefined` if neither has. @throws the failure of the body. */
  poll(): ReadableStreamReadResult<Uint8Array> | undefined;
  /** Waits until another poll may find something. Never rejects. */
  ready(): Promise<void>;
  /** Ends the body, and a wait. */
  cancel(reason?: unknown): Promise<void>;
}

/** The sources of bodies that nothing has read. */
const sources = new WeakMap<ReadableStream<Uint8Array>, ByteSource>();

/**
 * Returns a body with the bytes of a source. It is a web-standard stream; {@linkcode takeSource} reads it without the
 * stream, which costs more than all the rest of a read.
 */
export function toBody(source: ByteSource): ReadableStream<Uint8Array> {
  const body = new ReadableStream<Uint8Array>({
    async pull(stream) {
      let read = source.poll();
      while (read === undefined) {
        await source.ready();
        read = source.poll();
      }
      if (read.done) stream.close();
      else stream.enqueue(read.value);
    },
    cancel: (reason) => source.cancel(reason),
  }, { highWaterMark: 0 });
  sources.set(body, source);
  return body;
}

/** Returns the source of a body for its only reader: that of {@linkcode toBody}, or a reader of the stream. */
export function takeSource(body: ReadableStream<Uint8Array>): ByteSource {
  const source = sources.get(body);
  sources.delete(body);
  return source ?? new StreamSource(openReader(body));
}

/** Reads a stream. */
class StreamSource extends Arrivals<ReadableStreamReadResult<Uint8Array>> implements ByteSource {
  readonly #reader: ByteReader;

  constructor(reader: ByteReader) {
    super(() => reader.read());
    this.#reader = reader;
  }

  poll(): ReadableStreamReadResult<Uint8Array> | undefined {
    return this.take();
  }

  cancel(reason?: unknown): Promise<void> {
    return this.#reader.cancel(reason);
  }
}
