import type { GatewayKey } from "../config/gateway_keys.ts";

/** The keys that open the gateway. */
export interface Keyring {
  /** Whether clients have keys, so that nobody comes in without one; the admin's alone locks nobody out. */
  locked: boolean;
  /** Gives the name of who has a key; nothing where nobody has it. */
  find(key: string): Promise<string | undefined>;
}

/**
 * Creates a ring of keys. It keeps their SHA-256 digests alone, and takes equally long for every wrong key.
 *
 * @example Usage
 * ```ts
 * import { createKeyring } from "./api_keys.ts";
 *
 * const keyring = createKeyring([{ name: "alice", key: "0123456789abcdef" }]);
 * if (await keyring.find("0123456789abcdef") !== "alice") throw new Error("locked out");
 * ```
 */
export function createKeyring(clients: readonly GatewayKey[] = [], admin?: GatewayKey): Keyring {
  const known = [...clients, ...(admin === undefined ? [] : [admin])];
  const entries = Promise.all(
    known.map(async (entry) => ({
      name: entry.name,
      digest: "key" in entry ? await digest(entry.key) : toBytes(entry.sha256),
    })),
  );
  const { length } = known;
  return {
    locked: clients.length > 0,
    async find(key) {
      if (length === 0) return undefined;
      const shown = await digest(key);
      // All are compared, whichever it is. A key that is a client's and the admin's opens what a client's does.
      const matches = (await entries).filter((entry) => isSame(entry.digest, shown));
      return matches[0]?.name;
    },
  };
}

async function digest(key: string): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(key)));
}

function toBytes(hex: string): Uint8Array {
  return Uint8Array.from(hex.match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
}

/** Compares two digests without stopping at the first difference. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  return one.reduce((difference, byte, at) => difference | (byte ^ (other[at] ?? ~byte)), 0) === 0;
}
