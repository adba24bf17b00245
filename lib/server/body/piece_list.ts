import { joinBytes } from "../../base/encoding/join_bytes.ts";

/** Collects the pieces of a body of unknown size, and joins them once. */
export class PieceList {
  readonly #pieces: Uint8Array[] = [];
  /** Small pieces are copied together: a list of pieces of one byte would take a hundred bytes for each. */
  #small = new Uint8Array(0);
  #smallSize = 0;
  #size = 0;

  /** Appends a piece, which must not change afterwards. */
  add(piece: Uint8Array): void {
    this.#size += piece.byteLength;
    if (this.#pieces.length === 0 || piece.byteLength >= MIN_PIECE_BYTES) {
      this.#addSmall();
      this.#pieces.push(piece);
      return;
    }
    if (this.#small.byteLength === 0) this.#small = new Uint8Array(SMALL_BYTES);
    if (this.#smallSize + piece.byteLength > SMALL_BYTES) this.#addSmall();
    this.#small.set(piece, this.#smallSize);
    this.#smallSize += piece.byteLength;
  }

  /** Returns all bytes. The list is then empty. */
  take(): Uint8Array {
    this.#addSmall();
    const pieces = this.#pieces.splice(0);
    const [first] = pieces;
    const bytes = pieces.length === 1 && first !== undefined ? first : joinBytes(pieces, this.#size);
    this.#size = 0;
    return bytes;
  }

  #addSmall(): void {
    if (this.#smallSize > 0) this.#pieces.push(this.#small.slice(0, this.#smallSize));
    this.#smallSize = 0;
  }
}

/** Size from which a piece is kept as it is. */
const MIN_PIECE_BYTES = 16 * 1024;
const SMALL_BYTES = 4 * MIN_PIECE_BYTES;
