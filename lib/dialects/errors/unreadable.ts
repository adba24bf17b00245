import { ApiError } from "../../base/errors.ts";

/** Returns the error for an answer that does not follow the upstream's protocol. */
export function unreadableAnswer(why: string): ApiError {
  return new ApiError("api_error", `Cannot read the upstream's answer: ${why}`, { status: 502 });
}
