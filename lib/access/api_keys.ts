import type { GatewayKey } from "../config/gateway_keys.ts";
import { sha256 } from "../base/hash/sha256.ts";
import type { Credentials, CredentialSource, StoredDigest } from "./credentials.ts";

/** The keys that the gateway accepts. */
export interface ApiKeys {
  /** True if clients need a key. An admin key alone does not require one. */
  required: boolean;
  /** True if an admin key is configured. */
  hasAdmin: boolean;
  /** Names of the client keys in the settings. */
  names: readonly string[];
  /**
   * Returns the name of a key, or of the key that a sign-in's token stands for; `undefined` if it is unknown. With
   * `stale`, keys that are not in the settings are those known last if their store cannot be reached.
   *
   * @throws {ApiError} `overloaded_error` if the key is not in the settings and the store cannot be reached.
   */
  match(key: string, options?: { stale?: boolean }): Promise<string | undefined>;
  /**
   * Returns what a sign-in with a client's key is bound to; `undefined` for any other key, and for a token.
   *
   * @throws {ApiError} as {@linkcode ApiKeys.match} does.
   */
  matchForSignIn(key: string): Promise<{ key: string; binding: string } | undefined>;
}

/** Options of {@linkcode createApiKeys}. */
export interface ApiKeysOptions {
  /** Keys and sign-ins that are not in the settings. A key whose name is in the settings is not accepted. */
  stored?: CredentialSource | undefined;
  /** True if clients need a key although none is in the settings. */
  required?: boolean;
  /** False if tokens of sign-ins are not accepted. Default: true. */
  signIn?: boolean;
}

/**
 * Creates the key check. Keys are compared as SHA-256 digests. Those of the settings are compared in constant time;
 * those of a store are looked up by digest, whose time says nothing of a key.
 *
 * @example Usage
 * ```ts
 * import { createApiKeys } from "./api_keys.ts";
 *
 * const apiKeys = createApiKeys([{ name: "alice", key: "0123456789abcdef" }], undefined);
 * if (await apiKeys.match("0123456789abcdef") !== "alice") throw new Error("key rejected");
 * ```
 */
export function createApiKeys(
  clients: readonly GatewayKey[] = [],
  admin?: GatewayKey,
  { stored, required = false, signIn: acceptsTokens = true }: ApiKeysOptions = {},
): ApiKeys {
  const configured = clients.map(toDigest);
  // Client keys precede the admin key: a key in both is the client's.
  const own = [...configured, ...(admin === undefined ? [] : [toDigest(admin)])];
  const names = clients.map(({ name }) => name);
  const byName = new Map(configured.map((key) => [key.name, key]));

  /** Returns a key of the store, unless the settings have one of its name. */
  function findStored({ keysByDigest }: Credentials, digest: string): StoredDigest | undefined {
    const found = keysByDigest.get(digest);
    return found !== undefined && byName.has(found.name) ? undefined : found;
  }

  return {
    required: required || clients.length > 0,
    hasAdmin: admin !== undefined,
    names,
    async match(key, options) {
      const found = own.length === 0 ? undefined : findDigest(own, sha256(key));
      if (found !== undefined || stored === undefined) return found?.name;
      const credentials = await stored.read(options);
      if (credentials.keysByDigest.size === 0 && credentials.signIns.size === 0) return undefined;
      const digest = sha256(key);
      const storedKey = findStored(credentials, digest);
      const signIn = acceptsTokens ? credentials.signIns.get(digest) : undefined;
      if (storedKey !== undefined || signIn === undefined) return storedKey?.name;
      const bound = byName.get(signIn.key) ?? credentials.keys.get(signIn.key);
      return bound !== undefined && bindingOf(bound.sha256) === signIn.binding ? bound.name : undefined;
    },
    async matchForSignIn(key) {
      const digest = sha256(key);
      const found = findDigest(own, digest) ?? (stored && findStored(await stored.read(), digest));
      const isClient = found !== undefined && found.name !== admin?.name;
      return isClient ? { key: found.name, binding: bindingOf(found.sha256) } : undefined;
    },
  };
}

/** Returns what identifies the value of a key in its sign-ins, from the key's digest. */
function bindingOf(digest: string): string {
  return sha256(`sign-in ${digest}`);
}

function toDigest(entry: GatewayKey): StoredDigest {
  return { name: entry.name, sha256: "key" in entry ? sha256(entry.key) : entry.sha256 };
}

/** Returns the first entry of a digest. Compares all entries, each in constant time. */
function findDigest(entries: readonly StoredDigest[], digest: string): StoredDigest | undefined {
  return entries.filter((entry) => isEqual(entry.sha256, digest))[0];
}

/** Compares two digests in constant time: does not stop at the first difference. */
function isEqual(one: string, other: string): boolean {
  let difference = one.length ^ other.length;
  for (let at = 0; at < other.length; at++) difference |= one.charCodeAt(at) ^ other.charCodeAt(at);
  return difference === 0;
}
