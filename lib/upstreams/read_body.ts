import type { Race } from "./idle_timeout.ts";

/** Options for reading a body. */
export interface ReadOptions {
  /** Aborts the read. */
  signal: AbortSignal;
  /** Awaits each chunk. */
  race?: Race | undefined;
}

/**
 * Reads a body in chunks.
 *
 * The body is cancelled when the signal fires or the consumer stops. The connection to a silent upstream is therefore
 * closed even if the transport ignores the signal.
 *
 * @throws the signal's reason, once it has fired.
 */
export async function* readBytes(
  body: ReadableStream<Uint8Array>,
  { signal, race = (promise) => promise }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  const reader = body.getReader();
  const cancel = () => void reader.cancel(signal.reason).catch(() => {});
  signal.addEventListener("abort", cancel, { once: true });
  if (signal.aborted) cancel();
  try {
    for (let read = await race(reader.read()); !read.done; read = await race(reader.read())) {
      yield read.value;
    }
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

/**
 * Reads a body as text. Returns `undefined` if it is larger than `limit` bytes.
 *
 * @throws the signal's reason, once it has fired.
 */
export async function readText(
  body: ReadableStream<Uint8Array> | null,
  { limit, ...options }: ReadOptions & { limit: number },
): Promise<string | undefined> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const bytes of body === null ? [] : readBytes(body, options)) {
    size += bytes.byteLength;
    if (size > limit) return undefined;
    text += decoder.decode(bytes, { stream: true });
  }
  return text + decoder.decode();
}
