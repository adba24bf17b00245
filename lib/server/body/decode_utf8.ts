import { ApiError } from "../../base/errors.ts";

const decoder = new TextDecoder("utf-8", { fatal: true });

/** Decodes bytes of a client's request. @throws {ApiError} `invalid_request_error` if they are not UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_request_error", "The request body is not valid UTF-8", { cause });
  }
}
