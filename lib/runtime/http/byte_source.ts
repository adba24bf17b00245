/** The bytes of a body for one reader. */
export interface ByteSource {
  /** Returns the bytes that have arrived, or waits for the next. Rejects if the body fails. */
  read(): Promise<ReadableStreamReadResult<Uint8Array>>;
  /** Ends the body, and a pending read. */
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
      const { done, value } = await source.read();
      if (done) stream.close();
      else stream.enqueue(value);
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
  return source ?? body.getReader();
}
