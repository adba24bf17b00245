import { ApiError } from "../base/errors.ts";
import { quote } from "../base/redact.ts";

/**
 * Refuses a body that is not plain JSON by its headers. What a page can send without asking first is of another type,
 * or of none; a compressed body may be a thousand times larger than it looks.
 *
 * @throws {ApiError} `invalid_request_error`.
 */
export function checkContentType({ method, headers }: Request): void {
  if (method !== "POST") return;
  const type = headers.get("content-type");
  if (type?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    const description = type === null ? "a body without content-type" : `content-type ${quote(type)}`;
    throw new ApiError("invalid_request_error", `Cannot read ${description}: only application/json is taken`);
  }
  const encoding = headers.get("content-encoding");
  if (encoding === null || encoding.trim().toLowerCase() === "identity") return;
  throw new ApiError(
    "invalid_request_error",
    `Cannot read content-encoding ${quote(encoding)}: only bodies as they are can be taken`,
    { details: { error_code: "request_body_encoding_unsupported" } },
  );
}
