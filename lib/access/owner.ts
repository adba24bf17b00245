import { LOCAL } from "../config/gateway_keys.ts";
import type { Caller } from "./caller.ts";

/**
 * Identifies whom kept answers, batches and files belong to: the client's key of the gateway. Without such keys it is
 * the SHA-256 of the upstream key that the client sends, so that clients with different keys have nothing in common.
 *
 * @example Usage
 * ```ts
 * import { ownerOf } from "./owner.ts";
 *
 * if (await ownerOf({ client: "alice" }) !== "key:alice") throw new Error("unexpected owner");
 * ```
 */
export async function ownerOf(
  { client, key, owner }: Pick<Caller, "client" | "key" | "owner">,
): Promise<string> {
  if (owner !== undefined) return owner;
  if (client !== LOCAL || key === undefined) return `key:${client}`;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key));
  return `local:${Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
