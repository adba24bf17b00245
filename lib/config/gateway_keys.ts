import * as v from "valibot";
import { listForm, withForm } from "./json_form.ts";
import { issuePath, type Schema } from "./schemas.ts";

/** A client's key and name; `sha256` is the key's SHA-256 digest in hexadecimal digits. */
export type GatewayKey = { name: string; key: string } | { name: string; sha256: string };

/** Reserved client names: without configured keys, with the admin key, and before authentication. */
export const LOCAL = "local";
export const ADMIN = "admin";
export const UNAUTHENTICATED = "nobody";

const RESERVED = [LOCAL, ADMIN, UNAUTHENTICATED];
const NAME = /^[\w.-]{1,64}$/;

/** True if a key can have the name: 1 to 64 letters, digits, `.`, `_` and `-`, and not reserved. */
export function isKeyName(name: string): boolean {
  return NAME.test(name) && !RESERVED.includes(name);
}

/**
 * Parses client keys: `key`, `name:key` or `name:sha256:digest`, separated by commas or as a list.
 *
 * A key without a name is named by its position, `key-1`. Each mistake is one line and holds no part of a key.
 */
export function gatewayKeys(): Schema<string | readonly string[], readonly GatewayKey[]> {
  const schema = v.pipe(
    v.custom<string | readonly string[]>((given) => splitKeys(given) !== undefined, EXPECTED),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const found: GatewayKey[] = [];
      const mistakes = (splitKeys(dataset.value) ?? []).flatMap((word, at) => {
        const parsed = readKey(word.trim(), `key-${at + 1}`);
        const problem = typeof parsed === "string" ? parsed : findDuplicate(parsed, found);
        if (typeof parsed !== "string") found.push(parsed);
        return problem === undefined ? [] : [{ message: `key ${at + 1} ${problem}`, path: issuePath(at) }];
      });
      for (const mistake of mistakes) addIssue(mistake);
      return mistakes.length === 0 ? found : NEVER;
    }),
  );
  return withForm(schema, listForm());
}

/** Parses the operator's key: `key` or `sha256:digest`. */
export function adminKey(): Schema<string, GatewayKey> {
  const schema = v.pipe(
    v.string("expected a key"),
    v.rawTransform(({ dataset, addIssue, NEVER }) => {
      const parsed = readSecret(dataset.value.trim(), ADMIN);
      if (typeof parsed !== "string") return parsed;
      addIssue({ message: `the key ${parsed}` });
      return NEVER;
    }),
  );
  return withForm(schema, { type: "string", minLength: 1 });
}

/** True if clients need a key: some are in the settings, or can be made. */
export function requiresKeys(
  { gatewayApiKeys, keyStore }: {
    gatewayApiKeys?: readonly GatewayKey[] | undefined;
    keyStore?: string | undefined;
  },
): boolean {
  return gatewayApiKeys !== undefined || keyStore !== undefined;
}

/** True if a key is short enough to be guessed. False for a digest, whose key has an unknown length. */
export function isGuessable(entry: GatewayKey): boolean {
  return "key" in entry && entry.key.length < MIN_KEY_CHARS;
}

const MIN_KEY_CHARS = 16;

/** True if two entries are equal. Computes no digest, so a key never equals the digest of a key. */
export function isSameKey(one: GatewayKey, other: GatewayKey): boolean {
  if ("key" in one) return "key" in other && one.key === other.key;
  return "sha256" in other && one.sha256 === other.sha256;
}

const EXPECTED = 'expected keys such as "name:key", separated by commas';

function splitKeys(given: unknown): readonly string[] | undefined {
  if (typeof given === "string") return given.split(",");
  return Array.isArray(given) && given.length > 0 && given.every((word) => typeof word === "string")
    ? given
    : undefined;
}

/** Parses one entry, or returns its mistake. */
function readKey(word: string, defaultName: string): GatewayKey | string {
  const cut = word.startsWith(DIGEST_PREFIX) ? -1 : word.indexOf(":");
  if (cut < 0) return readSecret(word, defaultName);
  const name = word.slice(0, cut);
  if (!NAME.test(name)) return 'must have a name of letters, digits, ".", "_" and "-" before its colon';
  if (RESERVED.includes(name)) return "has a reserved name";
  return readSecret(word.slice(cut + 1), name);
}

const DIGEST_PREFIX = "sha256:";

function readSecret(text: string, name: string): GatewayKey | string {
  if (text.startsWith(DIGEST_PREFIX)) {
    const sha256 = text.slice(DIGEST_PREFIX.length).toLowerCase();
    return /^[\da-f]{64}$/.test(sha256) ? { name, sha256 } : "must have 64 hexadecimal digits after sha256:";
  }
  if (text === "") return "is empty";
  if (!/^[!-~]+$/.test(text)) return "must be printable ASCII characters without spaces";
  return { name, key: text };
}

function findDuplicate(parsed: GatewayKey, others: readonly GatewayKey[]): string | undefined {
  if (others.some(({ name }) => name === parsed.name)) return "has the same name as another key";
  return others.some((other) => isSameKey(other, parsed)) ? "is the same as another key" : undefined;
}
