import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { PageResponse } from "./connect.ts";

/** The part of a body that was read. */
export interface ResponseBody {
  readonly bytes: Uint8Array;
  /** True if the body exceeds the limit. */
  readonly truncated: boolean;
}

/** A body with an unsupported content encoding. */
export class EncodingError extends Error {
  override name = "EncodingError";
}

/**
 * Reads and decompresses a body, up to `limit` bytes after decompression, and closes the response.
 *
 * @throws {EncodingError} if the content encoding is not supported.
 * @throws the error of the connection or the decompression, if the body cannot be read to its end.
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
  // An error on either side is thrown by the iteration over the decompressor.
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
      throw new EncodingError("its content encoding is not gzip, deflate or br");
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
