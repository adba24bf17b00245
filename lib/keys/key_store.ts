import type { CredentialSource } from "../access/credentials.ts";
import type { Config } from "../config/settings.ts";
import { ApiError } from "../base/errors.ts";
import { quote } from "../base/redact.ts";
import { sha256 } from "../base/hash/sha256.ts";
import type { Clock } from "../runtime/clock.ts";
import { createFileRecords } from "./file_records.ts";
import { createLastUses, type LastUses } from "./last_uses.ts";
import { createMemoryRecords } from "./memory_records.ts";
import { createRecordCache } from "./record_cache.ts";
import { keyRecordName, type SignIn, signInRecordName, type StoredKey } from "./records.ts";
import type { RecordStore } from "./record_store.ts";
import { createRedisRecords } from "./redis_records.ts";

/** Maximum number of keys in a store: all of them are in memory. */
const MAX_KEYS = 1000;

/** Maximum number of sign-ins with one key. A further one ends the oldest. */
const MAX_SIGN_INS = 20;

/** Keys that the operator makes while the gateway runs, and sign-ins with any key. */
export interface KeyStore extends CredentialSource {
  /** True if keys can be made: `KEY_STORE` is set. Without it, sign-ins are kept in memory. */
  readonly persistent: boolean;
  readonly uses: LastUses;
  /** Returns a key as last read: at most a second old while requests with keys arrive. */
  find(name: string): StoredKey | undefined;
  /** Returns all keys. @throws {ApiError} `overloaded_error` if the store cannot be reached. */
  list(): Promise<readonly StoredKey[]>;
  /**
   * Makes a key, and returns it with its record. The store has its digest only.
   *
   * @throws {ApiError} `conflict_error` if the name is taken; `invalid_request_error` without a store, or beyond 1000
   * keys; `overloaded_error` if the store cannot be reached.
   */
  make(
    name: string,
    options: Pick<StoredKey, "models" | "limits">,
  ): Promise<{ key: string; stored: StoredKey }>;
  /**
   * Revokes a key, with its sign-ins. Returns false if there is none of this name.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  revoke(name: string): Promise<boolean>;
  /**
   * Adds a sign-in with a key, and returns its token.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  signIn(key: Pick<SignIn, "key" | "binding">): Promise<string>;
  /**
   * Ends the sign-in of a token, if there is one.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  signOut(token: string): Promise<void>;
}

/** Options of {@linkcode createKeyStore}. */
export interface KeyStoreOptions {
  clock: Clock;
  newId(prefix: string): string;
}

/**
 * Creates the store of the settings.
 *
 * @throws {ConfigError} if the folder in `STATE_DIR` cannot be used.
 */
export function createKeyStore(
  config: Pick<Config, "keyStore" | "stateDir">,
  { clock, newId }: KeyStoreOptions,
): KeyStore {
  const store = createRecords(config, clock);
  const cache = createRecordCache(store, clock);
  const persistent = config.keyStore !== undefined;
  const uses = createLastUses({ store, clock, persistent });

  return {
    persistent,
    uses,
    find: (name) => cache.last.keys.get(name),
    read: (options) => cache.read(options),
    list: async () => [...(await cache.read()).keys.values()],
    async make(name, { models, limits }) {
      if (!persistent) throw makeError(name, "KEY_STORE is not set", "invalid_request_error");
      const { keys } = await cache.read();
      if (keys.size >= MAX_KEYS) throw makeError(name, `there are ${MAX_KEYS} keys`, "invalid_request_error");
      const key = newId("gwk_");
      const stored: StoredKey = {
        name,
        sha256: sha256(key),
        createdAt: clock.now(),
        ...(models !== undefined && { models }),
        ...(limits !== undefined && { limits }),
      };
      const added = await cache.change(({ add }) => add(keyRecordName(name), JSON.stringify(stored)));
      if (!added) throw makeError(name, "there is a key of this name", "conflict_error");
      return { key, stored };
    },
    async revoke(name) {
      const { signIns } = await cache.read(); // another gateway may have added some
      return await cache.change(async ({ remove }) => {
        const removed = await remove(keyRecordName(name));
        if (!removed) return false;
        await uses.remove(name);
        for (const { key, sha256 } of signIns.values()) {
          if (key === name) await remove(signInRecordName(sha256));
        }
        return true;
      });
    },
    async signIn({ key, binding }) {
      const token = newId("gwt_");
      const signIn: SignIn = { sha256: sha256(token), key, binding, createdAt: clock.now() };
      const { signIns } = await cache.read();
      const earlier = [...signIns.values()].filter((other) => other.key === key)
        .toSorted((one, other) => other.createdAt - one.createdAt);
      await cache.change(async ({ add, remove }) => {
        await add(signInRecordName(signIn.sha256), JSON.stringify(signIn));
        for (const old of earlier.slice(MAX_SIGN_INS - 1)) await remove(signInRecordName(old.sha256));
      });
      return token;
    },
    async signOut(token) {
      const digest = sha256(token);
      // Any client may send any text: only a known token changes the store.
      const { signIns } = await cache.read();
      if (!signIns.has(digest)) return;
      await cache.change(({ remove }) => remove(signInRecordName(digest)));
    },
  };
}

function createRecords(
  { keyStore, stateDir }: Pick<Config, "keyStore" | "stateDir">,
  clock: Clock,
): RecordStore {
  if (keyStore === undefined) return createMemoryRecords();
  return keyStore === "state_dir" && stateDir !== undefined
    ? createFileRecords(stateDir)
    : createRedisRecords(keyStore, { clock });
}

function makeError(name: string, why: string, type: "conflict_error" | "invalid_request_error"): ApiError {
  return new ApiError(type, `Cannot make key ${quote(name)}: ${why}`, { retryable: false });
}
