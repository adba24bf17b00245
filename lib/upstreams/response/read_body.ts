import type { Race } from "../idle_timeout.ts";

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
  body: ReadableStream<Uint8Array> | null,
  { signal, race = (promise) => promise }: ReadOptions,
): AsyncGenerator<Uint8Array> {
  if (body === null) return;
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
  while (start.length < PEEKED_CHARS && !DECISIVE_START.test(start) && size < MAX_PEEKED_BYTES) {
    const { done, value } = await chunks.next();
    if (done) break;
    read.push(value);
    size += value.byteLength;
    start = (start + decoder.decode(value, { stream: true })).trimStart();
  }
  return { start, chunks: replay(read, chunks) };
}

/** Characters that tell the format of an answer: JSON, HTML or the comment of an event stream. */
const DECISIVE_START = /^[{[<:]/;
/** Enough characters to recognise the first field of an event stream. */
const PEEKED_CHARS = 6;
/** Maximum number of bytes that are held back for that. Blank lines may be sent to keep a connection open. */
const MAX_PEEKED_BYTES = 64 * 1024;

async function* replay(
  read: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  try {
    yield* read;
    yield* rest;
  } finally {
    await rest.return(undefined);
  }
}
