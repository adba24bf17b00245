import type { ByteSource } from "./byte_source.ts";

/** Bytes of a body that are kept for a slow reader before the connection is paused. */
const MAX_KEPT_BYTES = 64 * 1024;

/**
 * The bytes of a body that a connection pushes. A read returns all that have arrived, so that a burst takes few reads.
 */
export abstract class PushedBytes implements ByteSource {
  #pieces: Uint8Array[] = [];
  #keptBytes = 0;
  #paused = false;
  #ended = false;
  #cancelled = false;
  #failure: Error | undefined;
  /** The wait of the reader, and what ends it. */
  #waiting: Promise<void> | undefined;
  #wake = (): void => {};

  /** Lets the connection push no more bytes until it is resumed. */
  protected abstract pause(): void;
  protected abstract resume(): void;
  /** Closes the connection, because the reader wants no more bytes. */
  protected abstract close(reason: unknown): void;

  /** Adds bytes that have arrived. */
  protected add(piece: Uint8Array): void {
    if (this.#ended) return;
    this.#pieces.push(piece);
    this.#keptBytes += piece.byteLength;
    if (this.#keptBytes > MAX_KEPT_BYTES && !this.#paused) {
      this.#paused = true;
      this.pause();
    }
    this.#wake();
  }

  /** Ends the body. Only the first end counts. */
  protected end(failure?: Error): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#failure = failure;
    this.#wake();
  }

  poll(): ReadableStreamReadResult<Uint8Array> | undefined {
    const value = this.#take();
    if (value !== undefined) return { done: false, value };
    if (this.#failure !== undefined && !this.#cancelled) throw this.#failure;
    return this.#ended ? { done: true, value } : undefined;
  }

  ready(): Promise<void> {
    if (this.#pieces.length > 0 || this.#ended) return Promise.resolve();
    return this.#waiting ??= new Promise((resolve) => {
      this.#wake = () => {
        this.#waiting = undefined;
        resolve();
      };
    });
  }

  async cancel(reason?: unknown): Promise<void> {
    this.#cancelled = true;
    this.#pieces = [];
    this.close(reason);
    this.end();
  }

  /** Takes all bytes that have arrived. */
  #take(): Uint8Array | undefined {
    const [first] = this.#pieces;
    if (first === undefined) return undefined;
    const bytes = this.#pieces.length === 1 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#keptBytes = 0;
    if (this.#paused) {
      this.#paused = false;
      this.resume();
    }
    return bytes;
  }
}
