import { ApiError } from "../base/errors.ts";
import { quote } from "../base/redact.ts";

/**
 * Rejects a POST request unless its headers declare uncompressed JSON.
 *
 * A route whose `body` is `none` accepts a request without a body too.
 *
 * Without a CORS preflight, a page can send only other types or none. A compressed body may expand a thousandfold.
 *
 * @throws {ApiError} `invalid_request_error` if `content-type` or `content-encoding` is not accepted.
 */
export function checkContentType({ method, headers }: Request, body: "json" | "none" = "json"): void {
  if (method !== "POST") return;
  const type = headers.get("content-type");
  if (body === "none" && type === null) return;
  if (type?.split(";")[0]?.trim().toLowerCase() !== "application/json") {
    const description = type === null ? "a body without content-type" : `content-type ${quote(type)}`;
    throw new ApiError(
      "invalid_request_error",
      `Cannot read ${description}: only application/json is accepted`,
    );
  }
  const encoding = headers.get("content-encoding");
  if (encoding === null || encoding.trim().toLowerCase() === "identity") return;
  throw new ApiError(
    "invalid_request_error",
    `Cannot read content-encoding ${quote(encoding)}: only uncompressed bodies are accepted`,
    { details: { error_code: "request_body_encoding_unsupported" } },
  );
}
