/**
 * Encodes bytes as base64.
 *
 * @example Usage
 * ```ts
 * import { toBase64 } from "./base64.ts";
 *
 * if (toBase64(new TextEncoder().encode("Hello")) !== "SGVsbG8=") throw new Error("not encoded");
 * ```
 */
export function toBase64(bytes: Uint8Array): string {
  const parts: string[] = [];
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    parts.push(btoa(String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))));
  }
  return parts.join("");
}

/**
 * Bytes of one call: engines limit the number of arguments. A multiple of 3, so that no piece but the last is padded.
 */
const CHUNK_BYTES = 6144;
