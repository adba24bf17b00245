import { ApiError } from "../../base/errors.ts";
import { quote } from "../../base/redact.ts";
import type { RoutedCall } from "../routing/routed_call.ts";

/** Answers `GET /debug/errors/recent?count=` with the newest errors, the newest first; by default 10. */
export async function answerRecentErrors(
  { request, gateway: { operations, clock } }: RoutedCall,
): Promise<Response> {
  const errors = await operations.errors.recent(
    readNumber(request, "count", { min: 1, max: 100, fallback: 10 }),
  );
  return Response.json({ count: errors.length, log_file: operations.errors.logFile(clock.now()), errors });
}

/** Answers `GET /debug/errors/stats` with the number of errors by type, upstream and endpoint. */
export async function answerErrorStats({ gateway: { operations } }: RoutedCall): Promise<Response> {
  return Response.json(await operations.errors.stats());
}

/**
 * Answers `GET /debug/errors/{id}` with the newest error of a correlation id or request id.
 *
 * @throws {ApiError} `not_found_error`
 */
export async function answerError(
  { gateway: { operations }, params: { id = "" } }: RoutedCall,
): Promise<Response> {
  const entry = await operations.errors.find(id);
  if (entry === undefined) {
    throw new ApiError("not_found_error", `Cannot find error ${quote(id)}: no stored error has this id`);
  }
  return Response.json(entry);
}

/**
 * Answers `POST /debug/errors/cleanup?days_to_keep=`: removes older errors; by default those before the last 7 days.
 */
export function answerErrorCleanup({ request, gateway: { operations, clock } }: RoutedCall): Response {
  const days = readNumber(request, "days_to_keep", { min: 1, max: 30, fallback: 7 });
  const removed = operations.errors.cleanUp(days, clock.now());
  const what = operations.errors.storage === "disk" ? "files" : "errors";
  return Response.json({ status: "ok", message: `Removed ${removed} ${what} older than ${days} days` });
}

/** Reads a whole number of the query. @throws {ApiError} `invalid_request_error` if it is out of bounds. */
function readNumber(
  request: Request,
  name: string,
  { min, max, fallback }: { min: number; max: number; fallback: number },
): number {
  const text = new URL(request.url).searchParams.get(name);
  if (text === null) return fallback;
  const value = /^\d{1,6}$/.test(text) ? Number(text) : NaN;
  if (value >= min && value <= max) return value;
  throw new ApiError(
    "invalid_request_error",
    `${name}: Input should be a whole number from ${min} to ${max}`,
  );
}
