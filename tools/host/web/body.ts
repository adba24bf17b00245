import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { PageResponse } from "./connect.ts";

/** What was read of a body. */
export interface ResponseBody {
  readonly bytes: Uint8Array;
  /** Whether there was more than might be read. */
  readonly truncated: boolean;
}

/** A body that is packed in a way that was not asked for. */
export class EncodingError extends Error {
  override name = "EncodingError";
}

/**
 * Reads a body and unpacks it on the way, up to so many bytes of what comes out.
 *
 * @throws {EncodingError}
 * @throws whatever breaks off the body.
 */
export async function readBody(response: PageResponse, limit: number): Promise<ResponseBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of decompress(response)) {
      chunks.push(chunk.subarray(0, limit - size));
      size += chunk.byteLength;
      if (size > limit) break;
    }
  } finally {
    response.close();
  }
  return { bytes: concat(chunks), truncated: size > limit };
}

function decompress(response: PageResponse): AsyncIterable<Uint8Array> {
  const decompressor = createDecompressor(response.header("content-encoding")?.trim().toLowerCase() ?? "");
  if (decompressor === undefined) return response.body;
  // A failure on either side reaches whoever iterates over the decoder.
  pipeline(Readable.from(response.body), decompressor, () => {});
  return decompressor;
}

function createDecompressor(encoding: string): Transform | undefined {
  switch (encoding) {
    case "":
    case "identity":
      return undefined;
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    case "br":
      return createBrotliDecompress();
    default:
      throw new EncodingError("it is packed by another method than gzip, deflate or br");
  }
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(chunks.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return bytes;
}
