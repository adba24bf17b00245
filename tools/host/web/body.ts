import { pipeline, Readable, type Transform } from "node:stream";
import { createBrotliDecompress, createGunzip, createInflate } from "node:zlib";
import type { Reply } from "./connect.ts";

/** What was read of a body. */
export interface Body {
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
export async function readBody(reply: Reply, limit: number): Promise<Body> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const piece of unpack(reply)) {
      pieces.push(piece.subarray(0, limit - size));
      size += piece.byteLength;
      if (size > limit) break;
    }
  } finally {
    reply.close();
  }
  return { bytes: concat(pieces), truncated: size > limit };
}

function unpack(reply: Reply): AsyncIterable<Uint8Array> {
  const decoder = toDecoder(reply.header("content-encoding")?.trim().toLowerCase() ?? "");
  if (decoder === undefined) return reply.body;
  // A failure on either side reaches whoever iterates over the decoder.
  pipeline(Readable.from(reply.body), decoder, () => {});
  return decoder;
}

function toDecoder(encoding: string): Transform | undefined {
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

function concat(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((size, { byteLength }) => size + byteLength, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.byteLength;
  }
  return bytes;
}
