/** Bytes in one buffer that grows. A list of pieces would take a hundred bytes for each piece of one byte. */
export class ByteBuffer {
  #buffer = new Uint8Array(4096);
  /** Number of bytes. */
  size = 0;

  /** The bytes, until the next one is added. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.size);
  }

  /** Appends bytes. */
  add(piece: Uint8Array): void {
    const size = this.size + piece.byteLength;
    if (size > this.#buffer.byteLength) {
      const grown = new Uint8Array(Math.max(size, this.#buffer.byteLength * 2));
      grown.set(this.bytes);
      this.#buffer = grown;
    }
    this.#buffer.set(piece, this.size);
    this.size = size;
  }

  /** Removes all bytes. The buffer stays as large as it is, up to 1 MiB. */
  clear(): void {
    if (this.#buffer.byteLength > MAX_EMPTY_BYTES) this.#buffer = new Uint8Array(4096);
    this.size = 0;
  }
}

const MAX_EMPTY_BYTES = 1024 * 1024;
