import { ApiError } from "../base/errors.ts";
import type { BodyCount } from "../limits/body_meter.ts";
import type { Clock } from "../runtime/clock.ts";

/** Maximum size of a request body, in bytes. Source: https://platform.claude.com/docs/en/api/errors */
const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** Options of {@linkcode readRequestBody}. */
export interface BodyOptions {
  clock: Clock;
  config: {
    /** Timeout for the complete body, in seconds; 0 is no limit. */
    bodyTimeout: number;
  };
}

/**
 * Reads the body of a client's request as text. Its bytes stay in the count: the parsed body is in memory until the
 * request ends.
 *
 * @throws {ApiError} `request_too_large` past 32 MiB; `invalid_request_error` if the body is incomplete or not UTF-8;
 * `timeout_error` (408) if it arrives too slowly; the error of the count if too much is in memory.
 */
export async function readRequestBody(
  request: Request,
  count: BodyCount,
  { clock, config }: BodyOptions,
): Promise<string> {
  const body = new ByteBuffer();
  const reader = request.body?.getReader();
  let timedOut = false;
  // Releasing the lock ends the pending read. The body is not cancelled: that would cut the connection before the
  // response is sent.
  const abort = () => {
    timedOut = true;
    reader?.releaseLock();
  };
  const cancel = config.bodyTimeout > 0 ? clock.after(config.bodyTimeout * 1000, abort) : () => {};
  try {
    while (reader !== undefined) {
      const { done, value } = await reader.read();
      if (done) break;
      if (body.size + value.byteLength > MAX_BODY_BYTES) {
        throw new ApiError("request_too_large", "Request exceeds the maximum size of 32 MiB");
      }
      count.add(value.byteLength);
      body.add(value);
    }
    return decode(body.bytes);
  } catch (cause) {
    if (cause instanceof ApiError) throw cause;
    if (timedOut) {
      const message = `Cannot read the request body: it took longer than ${config.bodyTimeout} s`;
      throw new ApiError("timeout_error", message, { status: 408 });
    }
    if (request.signal.aborted) throw new DOMException("The client disconnected", "AbortError");
    throw new ApiError("invalid_request_error", "Cannot read the request body: it is incomplete", { cause });
  } finally {
    cancel();
    reader?.releaseLock();
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_request_error", "The request body is not valid UTF-8", { cause });
  }
}

/** Bytes in one buffer that grows. A list of pieces would take a hundred bytes for each piece of one byte. */
class ByteBuffer {
  #buffer = new Uint8Array(4096);
  size = 0;

  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.size);
  }

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
}
