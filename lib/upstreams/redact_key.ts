import type { Caller } from "../access/caller.ts";
import { ApiError } from "../base/errors.ts";
import type { Upstream } from "./upstream.ts";

/** Returns the key that a request to an upstream is sent with. */
export function keyFor({ key, acceptsClientKey }: Upstream, caller: Caller): string | undefined {
  return key ?? (acceptsClientKey ? caller.key : undefined);
}

/**
 * Removes the upstream's key and header values from all texts of an error that clients receive, because an upstream may
 * quote them: as they are, percent-encoded or escaped as in JSON, in any case of letters, also if the
 * text was cut within one of them.
 */
export function redactKey(error: unknown, upstream: Upstream, caller: Caller): unknown {
  if (!(error instanceof ApiError)) return error;
  const secrets = secretsOf(upstream, caller);
  if (secrets.length > 0) error.replaceTexts(createRedactor(secrets));
  return error;
}

/** True if a text has the upstream's key or a header value, or the start of one. */
export function holdsKey(text: string, upstream: Upstream, caller: Caller): boolean {
  return createRedactor(secretsOf(upstream, caller))(text) !== text;
}

/** Returns the secrets that an upstream receives with each request, the longest first. */
function secretsOf(upstream: Upstream, caller: Caller): string[] {
  const headers = Object.values(upstream.headers ?? {});
  return [keyFor(upstream, caller), ...headers, ...headers.map(withoutScheme)]
    .filter((secret) => secret !== undefined)
    .filter((secret) => secret.length >= MIN_KEY_CHARS)
    .toSorted((one, other) => other.length - one.length);
}

/** Minimum characters of a key that is removed. A shorter one may be an ordinary word. */
const MIN_KEY_CHARS = 6;

/** Returns the credentials of an `authorization` header. */
function withoutScheme(header: string): string | undefined {
  return /^(?:basic|bearer|token|key|apikey)\s+(\S+)\s*$/i.exec(header)?.[1];
}

/** Creates a function that replaces secrets in a text, the longest first. */
function createRedactor(secrets: readonly string[]): (text: string) => string {
  const redactors = secrets.map((secret) => {
    const characters = Array.from(secret.slice(0, MAX_PATTERN_CHARS), toPattern);
    const whole = new RegExp(
      `${characters.join("")}${secret.length > MAX_PATTERN_CHARS ? '[^\\s"]*' : ""}`,
      "gi",
    );
    const start = new RegExp(characters.slice(0, MIN_KEY_CHARS).join(""), "gi");
    return (text: string) => redactCut(text.replace(whole, REDACTED), secret, start);
  });
  return (text) => redactors.reduce((rest, redactSecret) => redactSecret(rest), text);
}

const REDACTED = "[redacted]";
/** Characters of a secret that are compared one by one. */
const MAX_PATTERN_CHARS = 256;

/** Replaces the start of a secret at the end of a text that was cut. */
function redactCut(text: string, secret: string, start: RegExp): string {
  const at = Array.from(text.matchAll(start), ({ index }) => index)
    .find((index) => secret.toLowerCase().startsWith(unescape(text.slice(index)).toLowerCase()));
  return at === undefined ? text : text.slice(0, at) + REDACTED;
}

/** Decodes escapes of JSON and of URLs. Drops an escape that is cut at the end. */
function unescape(text: string): string {
  return text.replace(/(?:\\+u?[\da-f]{0,3}|%[\da-f]?)$/i, "")
    .replace(
      /(?:\\+u00|%)([\da-f]{2})/gi,
      (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/\\+(?=["/])/g, "");
}

/** Returns a pattern for an ASCII character: itself, percent-encoded, or escaped once or several times as in JSON. */
function toPattern(character: string): string {
  const hex = character.charCodeAt(0).toString(16).padStart(2, "0");
  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
  return `(?:\\\\{0,8}${literal}|(?:\\\\{1,8}u00|%)${hex})`;
}
