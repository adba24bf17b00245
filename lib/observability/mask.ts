import { isObject } from "../base/json.ts";
import { redact } from "../base/redact.ts";
import { createRedactor, credentialsOf } from "../base/redact_secrets.ts";

/** Removes credentials from a text. */
export type Mask = (text: string) => string;

/** The masks of a gateway. */
export interface Masks {
  /** Removes the secrets of the settings, and nothing that only looks like one. */
  settings: Mask;
  /** Returns the mask that removes the credentials of a request's headers, and nothing that only looks like one. */
  ofHeaders(headers: Headers): Mask;
  /** Returns the mask of records: it removes both, and whatever looks like a credential. */
  ofRecords(headers: Headers): Mask;
}

/** Creates the masks of a gateway, whose settings hold the given secrets. */
export function createMasks(secrets: readonly string[]): Masks {
  const settings = createRedactor(trimAll(secrets));
  const ofHeaders = (headers: Headers) =>
    createRedactor(trimAll(SECRET_HEADERS.flatMap((name) => {
      const value = headers.get(name) ?? undefined;
      return [value, value === undefined ? undefined : credentialsOf(value)];
    })));
  return {
    settings,
    ofHeaders,
    ofRecords(headers) {
      const maskHeaders = ofHeaders(headers);
      return (text) => redact(maskHeaders(settings(text)));
    },
  };
}

/** Headers of requests that hold credentials. */
const SECRET_HEADERS = ["x-api-key", "authorization", "proxy-authorization", "cookie", "api-key"];

function trimAll(values: readonly (string | undefined)[]): string[] {
  return values.filter((value) => value !== undefined).map((value) => value.trim());
}

/**
 * Returns a JSON value with its texts masked, and the names of its members, by `maskName` if it is given. Members whose
 * names say that they hold a credential have it replaced.
 *
 * @example Usage
 * ```ts
 * import { redact } from "../base/redact.ts";
 * import { maskJson } from "./mask.ts";
 *
 * const masked = maskJson({ text: "use sk-or-v1-0123456789", password: "hunter2" }, redact);
 * if (JSON.stringify(masked) !== '{"text":"use [redacted]","password":"[redacted]"}') throw new Error();
 * ```
 */
export function maskJson(value: unknown, mask: Mask, maskName: Mask = mask): unknown {
  if (typeof value === "string") return mask(value);
  if (Array.isArray(value)) return value.map((item) => maskJson(item, mask, maskName));
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      maskName(name),
      typeof member === "string" && SECRET_NAME.test(name) ? "[redacted]" : maskJson(member, mask, maskName),
    ]),
  );
}

/** Names of members that hold credentials, such as `api_key` or `Authorization`. */
const SECRET_NAME =
  /^(?:.*[-_])?(?:api[-_]?key|authorization|password|passwd|secret|client[-_]?secret|(?:access|auth|refresh|bearer|authorization)[-_]?token|cookie)$/i;
