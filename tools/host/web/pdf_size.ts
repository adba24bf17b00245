import { createInflate } from "node:zlib";

/** How many streams of a PDF are looked into. */
const MAX_STREAMS = 20_000;

/** How often a stream may be packed. */
const MAX_LAYERS = 3;

/**
 * Tells whether the streams of a PDF, unpacked, have at most so many bytes together. A few kilobytes may unpack to
 * gigabytes, and whoever reads the PDF keeps them all.
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

/** Where the bytes of the next stream begin. */
function findStream(file: Buffer, from: number): number | undefined {
  for (let at = file.indexOf("stream", from); at >= 0; at = file.indexOf("stream", at + 6)) {
    const [first, second] = file.subarray(at + 6, at + 8);
    if (first === LF) return at + 7;
    if (first === CR) return at + (second === LF ? 8 : 7);
  }
  return undefined;
}

/** The header of a zlib stream is a multiple of 31. Source: https://www.rfc-editor.org/rfc/rfc1950#section-2.2 */
function isZlibStream([first = 0, second = 0]: Uint8Array): boolean {
  return (first & 0x0f) === 8 && (first * 256 + second) % 31 === 0;
}

/** Unpacks a stream as far as it goes, and keeps what may be packed once more. */
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
    // A stream that breaks off is read up to there by whoever reads the PDF, too.
  }
  return { size, content: Buffer.concat(chunks) };
}

const LF = 10;
const CR = 13;
