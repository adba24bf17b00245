import { ApiError } from "../../base/errors.ts";
import { END, PassingGenerator } from "../../base/relay.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type BodyReader, bodyReaderOf } from "../../runtime/http/direct_request.ts";

/** Bytes of a large body after which its timeout starts again. */
const ROUND_BYTES = 8 * 1024 * 1024;

/** Options of {@linkcode readPieces}. */
export interface PiecesOptions {
  clock: Clock;
  config: {
    /** Timeout in seconds for the complete body or, of larger bodies, for each 8 MiB; 0 is no limit. */
    bodyTimeout: number;
  };
  /** Maximum size of the body, in MiB. */
  maxMiB: number;
}

/**
 * Reads the body of a client's request piece by piece. The next piece is read when the one before it was used.
 *
 * @throws {ApiError} `request_too_large` past the maximum; `timeout_error` (408) if the body arrives too slowly;
 * `invalid_request_error` if it is incomplete.
 */
export function readPieces(request: Request, options: PiecesOptions): AsyncGenerator<Uint8Array> {
  return new BodyPieces(request, options);
}

class BodyPieces extends PassingGenerator<Uint8Array> {
  readonly #request: Request;
  readonly #options: PiecesOptions;
  /** Undefined once the body has ended. */
  #reader: BodyReader | undefined;
  #size = 0;
  #timedOut = false;
  #cancelTimeout: (() => void) | undefined;

  constructor(request: Request, options: PiecesOptions) {
    super();
    this.#request = request;
    this.#options = options;
    this.#reader = bodyReaderOf(request);
  }

  async next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#reader === undefined) return END;
    this.#cancelTimeout ??= this.#startTimeout();
    try {
      const read = await this.#reader.read();
      if (read.done) {
        this.#close();
        return END;
      }
      this.#count(read.value);
      return read;
    } catch (cause) {
      this.#close();
      throw cause instanceof ApiError ? cause : this.#toError(cause);
    }
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#close();
    return END;
  }

  #count({ byteLength }: Uint8Array): void {
    const { maxMiB } = this.#options;
    const rounds = Math.floor(this.#size / ROUND_BYTES);
    this.#size += byteLength;
    if (this.#size > maxMiB * 1024 * 1024) {
      throw new ApiError("request_too_large", `Request exceeds the maximum size of ${maxMiB} MiB`);
    }
    if (Math.floor(this.#size / ROUND_BYTES) > rounds) {
      this.#cancelTimeout?.();
      this.#cancelTimeout = this.#startTimeout();
    }
  }

  #startTimeout(): () => void {
    const { clock, config: { bodyTimeout } } = this.#options;
    if (bodyTimeout <= 0) return () => {};
    // Releasing the lock ends the pending read. The body is not cancelled: that would cut the connection before the
    // response is sent.
    return clock.after(bodyTimeout * 1000, () => {
      this.#timedOut = true;
      this.#reader?.releaseLock();
    });
  }

  #close(): void {
    this.#cancelTimeout?.();
    this.#reader?.releaseLock();
    this.#reader = undefined;
  }

  #toError(cause: unknown): Error {
    if (this.#timedOut) {
      const message =
        `Cannot read the request body: it took longer than ${this.#options.config.bodyTimeout} s`;
      return new ApiError("timeout_error", message, { status: 408 });
    }
    if (this.#request.signal.aborted) return new DOMException("The client disconnected", "AbortError");
    return new ApiError("invalid_request_error", "Cannot read the request body: it is incomplete", { cause });
  }
}
