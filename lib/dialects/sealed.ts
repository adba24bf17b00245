import { fromBase64Url, toBase64Url } from "../base/base64url.ts";
import { isObject, type JsonObject, tryJson } from "../base/json.ts";

/**
 * Reasoning of an upstream, sealed so that an Anthropic client carries it: in the `signature` of a thinking block or
 * in the `data` of a redacted one. The seal names its origin, the upstream and its model, for no other can make use of it.
 */
const SEAL_PREFIX = "orgw1.";

/** Seals reasoning details with the origin that they belong to. */
export function seal(origin: string, details: readonly JsonObject[]): string {
  return SEAL_PREFIX + toBase64Url(JSON.stringify({ origin, details }));
}

/** Tells a seal of ours from a signature of somebody else's. */
export function isSealed(signature: string): boolean {
  return signature.startsWith(SEAL_PREFIX);
}

/** Opens a seal: the details, or `undefined` where it is not ours or of another origin. */
export function unseal(signature: string, origin: string): JsonObject[] | undefined {
  if (!isSealed(signature)) return undefined;
  const sealed = tryJson(fromBase64Url(signature.slice(SEAL_PREFIX.length)) ?? "");
  if (!isObject(sealed) || sealed.origin !== origin || !Array.isArray(sealed.details)) return undefined;
  return sealed.details.filter(isObject);
}
