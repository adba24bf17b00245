import { ApiError } from "../../base/errors.ts";
import { Arrivals, END, PassingGenerator } from "../../base/passing_generator.ts";
import type { Clock } from "../../runtime/clock.ts";
import { type BodyReader, bodyReaderOf } from "../../runtime/http/direct_request.ts";
import { nextTask } from "../../runtime/next_task.ts";

/** Bytes of a large body after which its timeout starts again. */
const ROUND_BYTES = 8 * 1024 * 1024;
/**
 * Bytes of a body after which other requests continue. Deno goes on reading a body that arrives as fast as it is read,
 * and answers nothing else meanwhile.
 */
const TASK_BYTES = 2 * 1024 * 1024;

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
  #state: "new" | "open" | "ended" = "new";
  #reader: BodyReader | undefined;
  #reads: Arrivals<ReadableStreamReadResult<Uint8Array>> | undefined;
  #size = 0;
  /** True if other requests continue before the next piece is read. */
  #pauses = false;
  #timedOut = false;
  #cancelTimeout = (): void => {};

  constructor(request: Request, options: PiecesOptions) {
    super();
    this.#request = request;
    this.#options = options;
  }

  poll(): IteratorResult<Uint8Array, undefined> | undefined {
    if (this.#state === "new") this.#open();
    if (this.#pauses) return undefined;
    if (this.#reads === undefined) return END;
    try {
      const read = this.#reads.take();
      if (read === undefined) return undefined;
      if (!read.done) {
        this.#count(read.value.byteLength);
        return read;
      }
    } catch (cause) {
      this.#end();
      throw this.#toFailure(cause);
    }
    this.#end();
    return END;
  }

  ready(): Promise<void> {
    if (this.#pauses) {
      this.#pauses = false;
      return nextTask();
    }
    return this.#reads?.ready() ?? Promise.resolve();
  }

  async return(): Promise<IteratorResult<Uint8Array, undefined>> {
    this.#end();
    return END;
  }

  #open(): void {
    const reader = bodyReaderOf(this.#request);
    this.#state = "open";
    if (reader === undefined) return this.#end();
    this.#reader = reader;
    this.#reads = new Arrivals(() => reader.read());
    this.#startTimeout();
  }

  #startTimeout(): void {
    const { clock, config: { bodyTimeout } } = this.#options;
    if (bodyTimeout === 0) return;
    this.#cancelTimeout = clock.after(bodyTimeout * 1000, () => {
      this.#timedOut = true;
      this.#reader?.releaseLock();
    });
  }

  #count(bytes: number): void {
    const { maxMiB } = this.#options;
    const before = this.#size;
    this.#size += bytes;
    this.#pauses = isPast(before, this.#size, TASK_BYTES);
    if (this.#size > maxMiB * 1024 * 1024) {
      throw new ApiError("request_too_large", `Request exceeds the maximum size of ${maxMiB} MiB`);
    }
    if (!isPast(before, this.#size, ROUND_BYTES)) return;
    this.#cancelTimeout();
    this.#startTimeout();
  }

  /**
   * Ends the body. Releasing the lock ends a pending read. The body is not cancelled: that would cut the connection
   * before the response is sent.
   */
  #end(): void {
    this.#state = "ended";
    this.#cancelTimeout();
    this.#reader?.releaseLock();
    this.#reader = undefined;
    this.#reads = undefined;
  }

  #toFailure(cause: unknown): unknown {
    if (cause instanceof ApiError) return cause;
    const { bodyTimeout } = this.#options.config;
    if (this.#timedOut) {
      const message = `Cannot read the request body: it took longer than ${bodyTimeout} s`;
      return new ApiError("timeout_error", message, { status: 408 });
    }
    if (this.#request.signal.aborted) return new DOMException("The client disconnected", "AbortError");
    return new ApiError("invalid_request_error", "Cannot read the request body: it is incomplete", { cause });
  }
}

/** True if there is a multiple of `step` above `before` up to `now`. */
function isPast(before: number, now: number, step: number): boolean {
  return Math.floor(before / step) < Math.floor(now / step);
}
