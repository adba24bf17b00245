import { ApiError } from "../../base/errors.ts";
import { NameCache } from "../../base/name_cache.ts";

/**
 * Returns the path of a request. Access checks, routes and the log use this path only.
 *
 * Deno passes the path as the client sent it; Node and Bun pass its normal form.
 *
 * @throws {ApiError} `invalid_request_error` if the URL is not valid, or if its path is not in the normal form of the
 * URL standard: `/a/../b`, `/a/%2e%2e/b` and `/a\b` name other paths than they appear to.
 *
 * @example Usage
 * ```ts
 * import { readRoutePath } from "./route_path.ts";
 *
 * if (readRoutePath({ url: "http://localhost/v1/models?limit=1" }) !== "/v1/models") throw new Error("not its path");
 * ```
 */
export function readRoutePath({ url }: { url: string }): string {
  const pathname = readPathname(url);
  if (pathname === undefined) {
    throw new ApiError("invalid_request_error", "Cannot answer the request: its URL is not valid");
  }
  if (pathname !== (SENT_PATH.exec(url)?.[1] || "/")) {
    throw new ApiError(
      "invalid_request_error",
      "Cannot answer the request: its path is not in normal form (no dot segments, no backslashes)",
    );
  }
  return pathname;
}

/** Returns the path of a URL in its normal form; `undefined` if the URL is not valid. */
export function readPathname(url: string): string | undefined {
  try {
    return pathnames.get(url, () => new URL(url).pathname);
  } catch {
    return undefined;
  }
}

/** Clients send their requests to the same few URLs. */
const pathnames = new NameCache<string>(500);

/** The path in a URL as sent: from the end of the authority to the query. */
const SENT_PATH = /^[^:/?#]+:\/\/[^/?#\\]*([^?#]*)/;
