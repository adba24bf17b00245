import { toBase64Url } from "../base/encoding/base64url.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { parseOpaqueJson } from "./opaque_json.ts";

/**
 * Prefix of sealed data: data of an upstream, encoded with its origin for an Anthropic client to keep and send back.
 *
 * Sealed data is encoded, not encrypted. Sealed reasoning is the `signature` of a thinking block or the `data` of a
 * redacted one. Its origin is the upstream and the model, because no other model can use it.
 */
const SEAL_PREFIX = "orgw1.";

/** Encodes details with their origin. */
export function seal(origin: string, details: readonly JsonObject[]): string {
  return SEAL_PREFIX + toBase64Url(JSON.stringify({ origin, details }));
}

/** Returns the start of data sealed with an origin, up to the last whole group of base64. */
function sealStart(origin: string): string {
  const start = toBase64Url(`{"origin":${JSON.stringify(origin)},`);
  return start.slice(0, Math.floor(start.length / 4) * 4);
}

/** True if the gateway sealed this value; false for signatures of others. */
export function isSealed(signature: string): boolean {
  return signature.startsWith(SEAL_PREFIX);
}

/** Decodes sealed details; `undefined` if the value is not sealed, malformed or of another origin. */
export function unseal(signature: string, origin: string): JsonObject[] | undefined {
  if (!isSealed(signature)) return undefined;
  if (!signature.startsWith(sealStart(origin), SEAL_PREFIX.length)) return undefined;
  const sealed = parseOpaqueJson(signature.slice(SEAL_PREFIX.length));
  if (!isObject(sealed) || sealed.origin !== origin || !Array.isArray(sealed.details)) return undefined;
  return sealed.details.filter(isObject);
}
