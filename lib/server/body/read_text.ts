import { type PiecesOptions, readPieces } from "./body_pieces.ts";
import { ByteBuffer } from "./byte_buffer.ts";

/** Reads a small body as text. @throws {ApiError} as {@linkcode readPieces} */
export async function readText(request: Request, options: PiecesOptions): Promise<string> {
  const body = new ByteBuffer();
  for await (const piece of readPieces(request, options)) body.add(piece);
  return new TextDecoder().decode(body.bytes);
}
