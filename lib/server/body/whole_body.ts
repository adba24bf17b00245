import { brokenBodyError, type PiecesOptions, slowBodyError } from "./body_pieces.ts";

/** Longest body that is read at once, in bytes. It is in memory before it is counted. */
const MAX_WHOLE_BYTES = 64 * 1024;

/** True if a request says that its body is short. Servers reject a longer one than it says. */
export function isShortBody({ headers }: Request): boolean {
  const length = headers.get("content-length");
  return length !== null && Number(length) <= MAX_WHOLE_BYTES;
}

/**
 * Reads a short body at once. Runtimes do that without a stream, which takes longer than all other work on such a body.
 *
 * @throws {ApiError} `timeout_error` (408) if the body arrives too slowly; `invalid_request_error` if it is incomplete.
 */
export async function readWhole(
  request: Request,
  { clock, config: { bodyTimeout } }: Pick<PiecesOptions, "clock" | "config">,
): Promise<Uint8Array> {
  const reading = request.arrayBuffer().catch((cause) => {
    throw brokenBodyError(cause, request.signal);
  });
  let cancel = () => {};
  const expiry = new Promise<never>((_resolve, reject) => {
    if (bodyTimeout > 0) cancel = clock.after(bodyTimeout * 1000, () => reject(slowBodyError(bodyTimeout)));
  });
  try {
    return new Uint8Array(await Promise.race([reading, expiry]));
  } finally {
    cancel();
  }
}
