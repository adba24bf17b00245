import { toSortedJson } from "../../base/json.ts";

/**
 * Returns the SHA-256 of a request, in hex: equal for bodies that are equal as parsed JSON, with their members in any
 * order and any space between them.
 *
 * @example Usage
 * ```ts
 * import { fingerprint } from "./fingerprint.ts";
 *
 * const one = await fingerprint({ a: 1, b: [2] }, { stream: false });
 * if (one !== await fingerprint({ b: [2], a: 1.0 }, { stream: false })) throw new Error("not equal");
 * ```
 */
export async function fingerprint(body: unknown, { stream }: { stream: boolean }): Promise<string> {
  const text = toSortedJson([stream, body]);
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
