import { ApiError } from "../base/errors.ts";
import { quote } from "../base/redact.ts";

/** Body that a route accepts: `form` is multipart, `fields` a URL-encoded form, `any` is not read as text. */
export type RouteBody = "json" | "form" | "fields" | "any" | "none";

const TYPES = {
  json: "application/json",
  form: "multipart/form-data",
  fields: "application/x-www-form-urlencoded",
};

/**
 * Rejects a POST request unless its headers declare an uncompressed body of the type that the route accepts. A route
 * whose `body` is `none` accepts a request without a type too, one whose `body` is `any` accepts everything.
 *
 * Without a CORS preflight, a page can send only forms, text or no type. A form must therefore come with a header that
 * pages cannot send so. A route with `fields` must not trust the browser: it checks a secret in the body. A compressed
 * body may expand a thousandfold.
 *
 * @throws {ApiError} `invalid_request_error` if `content-type` or `content-encoding` is not accepted.
 */
export function checkContentType({ method, headers }: Request, body: RouteBody = "json"): void {
  if (method !== "POST" || body === "any") return;
  const type = headers.get("content-type");
  if (body === "none" && type === null) return;
  const accepted = TYPES[body === "none" ? "json" : body];
  if (type?.split(";")[0]?.trim().toLowerCase() !== accepted) {
    const description = type === null ? "a body without content-type" : `content-type ${quote(type)}`;
    throw new ApiError("invalid_request_error", `Cannot read ${description}: only ${accepted} is accepted`);
  }
  if (body === "form" && !PREFLIGHTED_HEADERS.some((name) => headers.has(name))) {
    throw new ApiError("invalid_request_error", "anthropic-version: header is required");
  }
  const encoding = headers.get("content-encoding");
  if (encoding === null || encoding.trim().toLowerCase() === "identity") return;
  throw new ApiError(
    "invalid_request_error",
    `Cannot read content-encoding ${quote(encoding)}: only uncompressed bodies are accepted`,
    { details: { error_code: "request_body_encoding_unsupported" } },
  );
}

/** Headers of clients that a page of another origin can send only after a CORS preflight. */
const PREFLIGHTED_HEADERS = ["anthropic-version", "anthropic-beta", "x-api-key", "authorization"];
