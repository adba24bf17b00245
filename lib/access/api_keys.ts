import type { GatewayKey } from "../config/gateway_keys.ts";

/** The keys that open the gateway. */
export interface ApiKeys {
  /** Whether clients have keys, so that nobody comes in without one; the admin's alone locks nobody out. */
  required: boolean;
  /** Gives the name of who has a key; nothing where nobody has it. */
  match(key: string): Promise<string | undefined>;
}

/**
 * Creates a ring of keys. It keeps their SHA-256 digests alone, and takes equally long for every wrong key.
 *
 * @example Usage
 * ```ts
 * import { createApiKeys } from "./api_keys.ts";
 *
 * const keyring = createApiKeys([{ name: "alice", key: "0123456789abcdef" }]);
 * if (await keyring.match("0123456789abcdef") !== "alice") throw new Error("locked out");
 * ```
 */
export function createApiKeys(clients: readonly GatewayKey[] = [], admin?: GatewayKey): ApiKeys {
  const keys = [...clients, ...(admin === undefined ? [] : [admin])];
  const entries = Promise.all(
    keys.map(async (entry) => ({
      name: entry.name,
      digest: "key" in entry ? await digest(entry.key) : hexToBytes(entry.sha256),
    })),
  );
  const { length } = keys;
  return {
    required: clients.length > 0,
    async match(key) {
      if (length === 0) return undefined;
      const keyDigest = await digest(key);
      // All are compared, whichever it is. A key that is a client's and the admin's opens what a client's does.
      const matches = (await entries).filter((entry) => constantTimeEqual(entry.digest, keyDigest));
      return matches[0]?.name;
    },
  };
}

async function digest(key: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
}

function hexToBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Compares two digests without stopping at the first difference. */
function constantTimeEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.reduce((difference, byte, at) => difference | (byte ^ (other[at] ?? ~byte)), 0) === 0;
}
