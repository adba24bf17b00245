import type { GatewayKey } from "../config/gateway_keys.ts";

/** The keys that the gateway accepts. */
export interface ApiKeys {
  /** True if client keys are configured: clients then need a key. An admin key alone does not require one. */
  required: boolean;
  /** Number of configured keys, that of the operator included. */
  count: number;
  /** True if an admin key is configured. */
  hasAdmin: boolean;
  /** Returns the name of a key, or `undefined` if the key is unknown. */
  match(key: string): Promise<string | undefined>;
}

/**
 * Creates the key check. Keys are compared as SHA-256 digests. Every wrong key takes the same time.
 *
 * @example Usage
 * ```ts
 * import { createApiKeys } from "./api_keys.ts";
 *
 * const apiKeys = createApiKeys([{ name: "alice", key: "0123456789abcdef" }]);
 * if (await apiKeys.match("0123456789abcdef") !== "alice") throw new Error("key rejected");
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
    count: length,
    hasAdmin: admin !== undefined,
    async match(key) {
      if (length === 0) return undefined;
      const keyDigest = await digest(key);
      // Compares all entries, for constant time. Client keys precede the admin key: a key in both is the client's.
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

/** Compares two digests in constant time: does not stop at the first difference. */
function constantTimeEqual(one: Uint8Array, other: Uint8Array): boolean {
  return one.reduce((difference, byte, at) => difference | (byte ^ (other[at] ?? ~byte)), 0) === 0;
}
