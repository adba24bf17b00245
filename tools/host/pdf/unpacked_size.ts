import { createInflate } from "node:zlib";

/** Maximum number of streams. A PDF with more is rejected. */
const MAX_STREAMS = 20_000;

/** Maximum number of nested compressions of a stream. */
const MAX_LAYERS = 3;

/**
 * Returns true if all streams of a PDF together have at most `limit` bytes after decompression.
 *
 * A few kilobytes may decompress to gigabytes, and the PDF parser keeps them all in memory.
 */
export async function isPdfWithinLimit(bytes: Uint8Array, limit: number): Promise<boolean> {
  const file = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let remainingBytes = limit;
  let streams = 0;
  for (let at = findStream(file, 0); at !== undefined; at = findStream(file, at)) {
    if (++streams > MAX_STREAMS) return false;
    let compressed: Uint8Array = file.subarray(at);
    for (let layer = 0; isZlibStream(compressed); layer++) {
      const { size, content } = await inflate(compressed, remainingBytes);
      remainingBytes -= size;
      if (remainingBytes < 0 || layer === MAX_LAYERS) return false;
      compressed = content;
    }
  }
  return true;
}

/** Returns the offset of the next stream's content. */
function findStream(file: Buffer, from: number): number | undefined {
  for (let at = file.indexOf("stream", from); at >= 0; at = file.indexOf("stream", at + 6)) {
    const [first, second] = file.subarray(at + 6, at + 8);
    if (first === LF) return at + 7;
    if (first === CR) return at + (second === LF ? 8 : 7);
  }
  return undefined;
}

/** Detects a zlib header, which is a multiple of 31. Source: https://www.rfc-editor.org/rfc/rfc1950#section-2.2 */
function isZlibStream([first = 0, second = 0]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

/** Decompresses a stream up to its end or first error. Keeps the content only if it may be compressed again. */
async function inflate(
  compressed: Uint8Array,
  remainingBytes: number,
): Promise<{ size: number; content: Uint8Array }> {
  const inflater = createInflate();
  const chunks: Uint8Array[] = [];
  let size = 0;
  inflater.end(compressed);
  try {
    for await (const chunk of inflater) {
      if (size === 0 ? isZlibStream(chunk) : chunks.length > 0) chunks.push(chunk);
      size += chunk.byteLength;
      if (size > remainingBytes) break;
    }
  } catch {
    // The PDF parser too reads a broken stream up to the error.
  }
  return { size, content: Buffer.concat(chunks) };
}

const LF = 10;
const CR = 13;
