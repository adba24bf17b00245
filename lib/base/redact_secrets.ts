/**
 * Creates a function that replaces secrets in a text by `[redacted]`: as they are, percent-encoded or escaped as in
 * JSON, in any case of letters, also if the text was cut within one of them. Secrets of fewer than 6 characters stay.
 *
 * @example Usage
 * ```ts
 * import { createRedactor } from "./redact_secrets.ts";
 *
 * const text = createRedactor(["a secret"])("500 for a%20secret");
 * if (text !== "500 for [redacted]") throw new Error(text);
 * ```
 */
export function createRedactor(secrets: readonly string[]): (text: string) => string {
  const redactable = [...new Set(secrets)].filter((secret) => secret.length >= MIN_SECRET_CHARS);
  const redactors = redactable.toSorted((one, other) => other.length - one.length).map((secret) => {
    const characters = Array.from(secret.slice(0, MAX_PATTERN_CHARS), toPattern);
    const whole = new RegExp(
      `${characters.join("")}${secret.length > MAX_PATTERN_CHARS ? '[^\\s"]*' : ""}`,
      "gi",
    );
    const start = new RegExp(characters.slice(0, MIN_SECRET_CHARS).join(""), "gi");
    return (text: string) => redactCut(text.replace(whole, REDACTED), secret, start);
  });
  return (text) => redactors.reduce((rest, redactSecret) => redactSecret(rest), text);
}

const REDACTED = "[redacted]";
/** Minimum characters of a secret that is removed. A shorter one may be an ordinary word. */
const MIN_SECRET_CHARS = 6;
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

/** Returns the credentials of a header such as `authorization`, without its scheme. */
export function credentialsOf(header: string): string | undefined {
  return /^(?:basic|bearer|token|key|apikey)\s+(\S+)\s*$/i.exec(header)?.[1];
}
