import { ApiError } from "../../base/errors.ts";
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
export async function* readPieces(
  request: Request,
  { clock, config, maxMiB }: PiecesOptions,
): AsyncGenerator<Uint8Array> {
  const reader = bodyReaderOf(request);
  if (reader === undefined) return;
  let size = 0;
  let timedOut = false;
  // Releasing the lock ends the pending read. The body is not cancelled: that would cut the connection before the
  // response is sent.
  const abort = () => {
    timedOut = true;
    reader.releaseLock();
  };
  const startTimeout = () =>
    config.bodyTimeout > 0 ? clock.after(config.bodyTimeout * 1000, abort) : () => {};
  let cancel = startTimeout();
  try {
    while (true) {
      const { done, value } = await readPiece(
        reader,
        request,
        () => timedOut ? config.bodyTimeout : undefined,
      );
      if (done) return;
      const rounds = Math.floor(size / ROUND_BYTES);
      size += value.byteLength;
      if (size > maxMiB * 1024 * 1024) {
        throw new ApiError("request_too_large", `Request exceeds the maximum size of ${maxMiB} MiB`);
      }
      if (Math.floor(size / ROUND_BYTES) > rounds) {
        cancel();
        cancel = startTimeout();
      }
      yield value;
    }
  } finally {
    cancel();
    reader.releaseLock();
  }
}

async function readPiece(
  reader: BodyReader,
  { signal }: Request,
  expiredAfter: () => number | undefined,
): Promise<ReadableStreamReadResult<Uint8Array>> {
  try {
    return await reader.read();
  } catch (cause) {
    const seconds = expiredAfter();
    if (seconds !== undefined) {
      const message = `Cannot read the request body: it took longer than ${seconds} s`;
      throw new ApiError("timeout_error", message, { status: 408 });
    }
    if (signal.aborted) throw new DOMException("The client disconnected", "AbortError");
    throw new ApiError("invalid_request_error", "Cannot read the request body: it is incomplete", { cause });
  }
}
