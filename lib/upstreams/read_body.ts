import type { Race } from "./idle_timeout.ts";

/** How a body is read. */
export interface ReadOptions {
  /** Ends the reading when it fires. */
  signal: AbortSignal;
  /** Waits for each piece. */
  race?: Race | undefined;
}

/**
 * Reads a body, piece by piece.
 *
 * The body is cancelled when the signal fires or nobody reads on, so that an upstream that has fallen silent is let go
 * as well, whether or not the transport knows of the signal.
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
 * Reads a body as text, or gives `undefined` where it is larger than so many bytes.
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
