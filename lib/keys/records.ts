import * as v from "valibot";
import { type LimitSet, readLimitSet } from "../config/limits.ts";
import { isKeyName } from "../config/gateway_keys.ts";
import { Patterns } from "../config/model_access.ts";
import { tryJson } from "../base/json.ts";

/** A key that the operator has made. The key itself is not kept. */
export interface StoredKey {
  name: string;
  /** SHA-256 of the key, in hexadecimal digits. */
  sha256: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  /** Patterns of allowed models; undefined if the setting `MODEL_ACCESS` decides. */
  models?: readonly string[] | undefined;
  /** Limits that override those of each key; undefined if the setting `LIMITS` decides. */
  limits?: LimitSet | undefined;
}

/** A sign-in of a client program: a token that stands for a key. The token itself is not kept. */
export interface SignIn {
  /** SHA-256 of the token, in hexadecimal digits. */
  sha256: string;
  /** Name of the key. */
  key: string;
  /** Identifies the value of the key: a new key of the same name ends the sign-in. */
  binding: string;
  /** Milliseconds since 1970. */
  createdAt: number;
}

/** What a store holds. */
export interface Records {
  /** By name. */
  keys: ReadonlyMap<string, StoredKey>;
  keysByDigest: ReadonlyMap<string, StoredKey>;
  /** By the digest of the token. */
  signIns: ReadonlyMap<string, SignIn>;
}

/** Returns the name of a key's record. */
export function keyRecordName(name: string): string {
  return `key.${name}`;
}

/** Returns the name of a sign-in's record. */
export function signInRecordName(sha256: string): string {
  return `sign_in.${sha256}`;
}

const Digest = v.pipe(v.string(), v.regex(/^[\da-f]{64}$/));
const Time = v.pipe(v.number(), v.integer(), v.minValue(0));
const Limits = v.pipe(
  v.unknown(),
  v.rawTransform(({ dataset, addIssue, NEVER }) => {
    const { set, mistakes } = readLimitSet(dataset.value);
    for (const message of mistakes) addIssue({ message });
    return mistakes.length === 0 ? set : NEVER;
  }),
);
const StoredKey = v.strictObject({
  name: v.pipe(v.string(), v.check(isKeyName)),
  sha256: Digest,
  createdAt: Time,
  models: v.optional(Patterns),
  limits: v.optional(Limits),
});
const SignIn = v.strictObject({ sha256: Digest, key: v.string(), binding: Digest, createdAt: Time });

/** Parses the text of a record. Returns `undefined` if it is damaged. */
export function parseRecord(record: string, text: string): StoredKey | SignIn | undefined {
  const value = tryJson(text);
  const key = v.safeParse(StoredKey, value);
  if (key.success && keyRecordName(key.output.name) === record) return key.output;
  const signIn = v.safeParse(SignIn, value);
  if (signIn.success && signInRecordName(signIn.output.sha256) === record) return signIn.output;
  return undefined;
}

/** Returns true if a record is a key's. */
export function isStoredKey(record: StoredKey | SignIn): record is StoredKey {
  return "name" in record;
}
