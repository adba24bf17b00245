/**
 * Returns the path that a request can only mean. A base URL may lack `/v1` or have it twice, may have OpenRouter's
 * `/api` or a whole endpoint, or extra slashes.
 *
 * @example Usage
 * ```ts
 * import { toCanonicalPath } from "./canonical_path.ts";
 *
 * for (const path of ["/messages", "/v1/v1/messages", "/api/v1//messages/"]) {
 *   if (toCanonicalPath(path) !== "/v1/messages") throw new Error(path);
 * }
 * ```
 */
export function toCanonicalPath(path: string): string {
  const plain = path.replace(/\/{2,}/g, "/").replace(/(?<=.)\/$/, "");
  const endpoint = ENDPOINT.exec(plain)?.[1];
  return endpoint === undefined ? plain : `/v1${endpoint}`;
}

/** An endpoint of Anthropic's API after any of the parts that base URLs have too much of. */
const ENDPOINT = /^(?:\/(?:api|v1|messages))*(\/(?:messages|models|files)(?:\/.*)?)$/;
