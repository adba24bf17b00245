import { readAll } from "../base/passing_generator.ts";
import type { BodyCount } from "../limits/body_meter.ts";
import type { Clock } from "../runtime/clock.ts";
import { readPieces } from "./body/body_pieces.ts";
import { type CutJson, LongStringCutter } from "./body/long_strings.ts";
import { collectedBytesOf } from "../runtime/http/direct_request.ts";

/** Maximum size of a request body, in MiB. Source: https://platform.claude.com/docs/en/api/errors */
const MAX_BODY_MIB = 32;

/** Options of {@linkcode readRequestBody}. */
export interface BodyOptions {
  clock: Clock;
  config: {
    /** Timeout for the complete body, in seconds; 0 is no limit. */
    bodyTimeout: number;
  };
}

/**
 * Reads the body of a client's request. Its bytes stay in the count: the parsed body is in memory until the
 * request ends.
 *
 * @throws {ApiError} `request_too_large` past 32 MiB; `invalid_request_error` if the body is incomplete;
 * `timeout_error` (408) if it arrives too slowly; the error of the count if too much is in memory.
 */
export async function readRequestBody(
  request: Request,
  count: BodyCount,
  { clock, config }: BodyOptions,
): Promise<CutJson> {
  const body = new LongStringCutter();
  let counted = collectedBytesOf(request);
  let size = 0;
  if (counted > 0) count.add(counted);
  await readAll(readPieces(request, { clock, config, maxMiB: MAX_BODY_MIB }), (piece) => {
    size += piece.byteLength;
    if (size > counted) count.add(size - counted);
    counted = Math.max(counted, size);
    body.add(piece);
  });
  return body.take();
}
