import { Arrivals } from "../../base/passing_generator.ts";
import type { ByteReader } from "./buffered_reader.ts";

/** The bytes of a body for one reader. */
export interface ByteSource {
  /** Returns the bytes that have arrived, or the end; `undefined` if neither has. @throws the failure of the body. */
  poll(): ReadableStreamReadResult<Uint8Array> | undefined;
  /** Waits until another poll may find something. Never rejects. */
  ready(): Promise<void>;
  /** Ends the body, and a wait. */
  cancel(reason?: unknown): Promise<void>;
}

/** Returns a web-standard body with the bytes of a source. */
export function toBody(source: ByteSource): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
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
}

/** Returns the bytes that a reader reads. */
export function toSource(reader: ByteReader): ByteSource {
  return new StreamSource(reader);
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
