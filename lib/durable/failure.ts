import { ApiError, type ApiErrorOptions, type ErrorType } from "../base/errors.ts";

/** An error as it is recorded, in JSON. */
export interface RecordedFailure {
  type: ErrorType;
  message: string;
  options: ApiErrorOptions;
}

/** Converts an error to what is recorded of it. */
export function toFailure(error: ApiError): RecordedFailure {
  const { type, message, status, retryAfter, retryable, final, headers, details } = error;
  const options = {
    status,
    retryable,
    final,
    headers,
    ...(retryAfter !== undefined && { retryAfter }),
    ...(details !== undefined && { details }),
  };
  return { type, message, options };
}

/** Converts a recorded failure to the error that it was. */
export function fromFailure({ type, message, options }: RecordedFailure): ApiError {
  return new ApiError(type, message, options);
}
