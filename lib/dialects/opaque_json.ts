import { fromBase64Url } from "../base/encoding/base64url.ts";
import { tryJson } from "../base/json.ts";
import { findExcess } from "../base/json_bounds.ts";

/**
 * Parses the JSON in the opaque data of a block, which clients keep in base64. Returns `undefined` if it is malformed.
 *
 * A client may have changed it. Such data is mostly text: if it has many values, it is not parsed.
 */
export function parseOpaqueJson(base64: string): unknown {
  const json = fromBase64Url(base64) ?? "";
  if (!json.startsWith("{")) return undefined;
  const bounds = { depth: 100, values: 32 + json.length / 10, names: 1000 };
  return findExcess(json, bounds) === undefined ? tryJson(json) : undefined;
}
