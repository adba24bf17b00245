/**
 * Returns the 32-bit FNV-1a hash of a text. The hash is not cryptographic.
 *
 * Source: http://www.isthe.com/chongo/tech/comp/fnv/
 *
 * @example Usage
 * ```ts
 * import { fnv } from "./fnv.ts";
 *
 * if (fnv("a") !== 0xe40c292c) throw new Error("unexpected hash");
 * ```
 */
export function fnv(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
