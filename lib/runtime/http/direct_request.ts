/** Reads the body of a request, as the reader of its stream does. */
export interface BodyReader extends Pick<ReadableStreamDefaultReader<Uint8Array>, "read" | "releaseLock"> {
  /** Maximum bytes that the server may have collected before a read returns them. Default: none. */
  readonly collectedBytes?: number;
}

/** Readers of the bodies of requests, of a server that can read them without a stream. */
const readers = new WeakMap<Request, BodyReader>();

/** Sets what reads the body of a request, instead of its stream. */
export function setBodyReader(request: Request, reader: BodyReader): void {
  readers.set(request, reader);
}

/** Returns the reader of a request's body; undefined if the request has none. */
export function bodyReaderOf(request: Request): BodyReader | undefined {
  return readers.get(request) ?? request.body?.getReader();
}

/** Returns the bytes of a request's body that are in memory, or will be, before they are read. */
export function collectedBytesOf(request: Request): number {
  return readers.get(request)?.collectedBytes ?? 0;
}

/**
 * Reads a body that arrives in one piece: one that the server limits to a few bytes.
 *
 * @example Usage
 * ```ts
 * import { WholeBody } from "./direct_request.ts";
 *
 * const body = new WholeBody(() => Promise.resolve(Uint8Array.of(1)), 1);
 * if ((await body.read()).value?.length !== 1 || !(await body.read()).done) throw new Error("another body");
 * ```
 */
export class WholeBody implements BodyReader {
  readonly collectedBytes: number;
  readonly #readAll: () => Promise<Uint8Array>;
  #started = false;
  #release = (): void => {};

  constructor(readAll: () => Promise<Uint8Array>, size: number) {
    this.#readAll = readAll;
    this.collectedBytes = size;
  }

  read(): Promise<ReadableStreamReadResult<Uint8Array>> {
    if (this.#started) return Promise.resolve({ done: true, value: undefined });
    this.#started = true;
    return new Promise((resolve, reject) => {
      this.#release = () => reject(new TypeError("The reader was released"));
      this.#readAll().then((value) => resolve({ done: false, value }), reject)
        .finally(() => this.#release = () => {});
    });
  }

  releaseLock(): void {
    this.#release();
  }
}
