import type { TypedTool } from "../anthropic/schema.ts";
import { ApiError } from "../base/errors.ts";

/** Allowed or blocked domains of a web tool; at most one list is set. */
export interface Domains {
  allowedDomains?: readonly string[];
  blockedDomains?: readonly string[];
}

/**
 * Reads the domain lists of `web_search_*` and `web_fetch_*`.
 *
 * @throws {ApiError} `invalid_request_error` if both lists are set, or one is not a list of domains.
 */
export function readDomains(
  { allowed_domains: allowed, blocked_domains: blocked }: TypedTool,
  path: string,
): Domains {
  const allowedDomains = readList(allowed, `${path}.allowed_domains`);
  const blockedDomains = readList(blocked, `${path}.blocked_domains`);
  if (allowedDomains !== undefined && blockedDomains !== undefined) {
    throw new ApiError(
      "invalid_request_error",
      `${path}: Only one of allowed_domains and blocked_domains may be given`,
    );
  }
  return {
    ...(allowedDomains !== undefined && { allowedDomains }),
    ...(blockedDomains !== undefined && { blockedDomains }),
  };
}

function readList(list: unknown, path: string): string[] | undefined {
  if (list === undefined || list === null) return undefined;
  const domains = Array.isArray(list) ? list.filter((domain) => typeof domain === "string") : [];
  if (!Array.isArray(list) || domains.length < list.length) {
    throw new ApiError("invalid_request_error", `${path}: Input should be a valid list of strings`);
  }
  const invalid = domains.find((domain) => !/^[^\s/:*@?#]+(\/[^\s?#]*)?$/.test(domain));
  if (invalid !== undefined) {
    throw new ApiError(
      "invalid_request_error",
      `${path}: Cannot use domain ${
        JSON.stringify(invalid.slice(0, 100))
      }: expected a name such as "example.com"`,
    );
  }
  return domains.length === 0 ? undefined : domains;
}
