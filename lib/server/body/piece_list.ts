import { joinBytes } from "../../base/encoding/join_bytes.ts";

/**
 * Joins small pieces of a body, and passes large ones on as they are. A list of pieces of one byte would take a hundred
 * bytes for each.
 */
export class PieceMerger {
  readonly #pass: (piece: Uint8Array) => void;
  #isFirst = true;
  #small: Uint8Array | undefined;
  #smallSize = 0;

  /** `pass` receives each piece, which does not change afterwards. */
  constructor(pass: (piece: Uint8Array) => void) {
    this.#pass = pass;
  }

  /** Appends a piece, which must not change afterwards. */
  add(piece: Uint8Array): void {
    if (piece.byteLength === 0) return;
    if (this.#isFirst || piece.byteLength >= MIN_PIECE_BYTES) {
      this.#isFirst = false;
      this.flush();
      this.#pass(piece);
      return;
    }
    if (this.#smallSize + piece.byteLength > SMALL_BYTES) this.flush();
    this.#small ??= new Uint8Array(SMALL_BYTES);
    this.#small.set(piece, this.#smallSize);
    this.#smallSize += piece.byteLength;
  }

  /** Passes on what is left. */
  flush(): void {
    if (this.#smallSize > 0 && this.#small !== undefined) this.#pass(this.#small.slice(0, this.#smallSize));
    this.#smallSize = 0;
  }
}

/** Collects the pieces of a body of unknown size, and joins them once. */
export class PieceList {
  readonly #pieces: Uint8Array[] = [];
  readonly #merger = new PieceMerger((piece) => this.#pieces.push(piece));
  #size = 0;

  /** Appends a piece, which must not change afterwards. */
  add(piece: Uint8Array): void {
    this.#size += piece.byteLength;
    this.#merger.add(piece);
  }

  /** Returns all bytes. The list is then empty. */
  take(): Uint8Array {
    this.#merger.flush();
    const pieces = this.#pieces.splice(0);
    const [first] = pieces;
    const bytes = pieces.length === 1 && first !== undefined ? first : joinBytes(pieces, this.#size);
    this.#size = 0;
    return bytes;
  }
}

/** Size from which a piece is kept as it is. */
const MIN_PIECE_BYTES = 16 * 1024;
const SMALL_BYTES = 4 * MIN_PIECE_BYTES;
