/** Collects bytes, and passes them on in pieces of one size. */
export interface PieceBuffer {
  add(bytes: Uint8Array): Promise<void>;
  /** Passes on the last piece, which may be shorter. */
  flush(): Promise<void>;
}

/**
 * Creates an empty buffer. `write` receives each piece, which is valid until it settles; no piece is empty.
 *
 * @example Usage
 * ```ts
 * import { createPieceBuffer } from "./piece_buffer.ts";
 *
 * const sizes: number[] = [];
 * const buffer = createPieceBuffer(4, async (piece) => void sizes.push(piece.length));
 * await buffer.add(new Uint8Array(6));
 * await buffer.flush();
 * if (sizes.join() !== "4,2") throw new Error(sizes.join());
 * ```
 */
export function createPieceBuffer(
  pieceBytes: number,
  write: (piece: Uint8Array<ArrayBuffer>) => Promise<void>,
): PieceBuffer {
  const buffer = new Uint8Array(pieceBytes);
  let size = 0;
  const flush = async () => {
    if (size === 0) return;
    const piece = buffer.subarray(0, size);
    size = 0;
    await write(piece);
  };
  return {
    async add(bytes) {
      for (let at = 0; at < bytes.length;) {
        const part = bytes.subarray(at, at + pieceBytes - size);
        buffer.set(part, size);
        size += part.length;
        at += part.length;
        if (size === pieceBytes) await flush();
      }
    },
    flush,
  };
}
