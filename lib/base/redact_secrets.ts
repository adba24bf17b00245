/**
 * Creates a function that replaces secrets in a text by `[redacted]`: as they are, percent-encoded (also several
 * times), escaped as in JSON or HTML, or in base64; in any case of letters, also if the text was cut within one of
 * them. Secrets of fewer than 6 characters stay.
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
  const plain = [...new Set(secrets)].filter((secret) => secret.length >= MIN_SECRET_CHARS);
  const redactable = [...plain, ...plain.map(toBase64)];
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

/** Returns the base64 form, without the characters at its end that depend on what follows. */
function toBase64(secret: string): string {
  const bytes = new TextEncoder().encode(secret);
  return btoa(String.fromCharCode(...bytes.subarray(0, bytes.length - bytes.length % 3)));
}

/** Replaces the start of a secret at the end of a text that was cut. */
function redactCut(text: string, secret: string, start: RegExp): string {
  const at = Array.from(text.matchAll(start), ({ index }) => index)
    .find((index) => secret.toLowerCase().startsWith(unescape(text.slice(index)).toLowerCase()));
  return at === undefined ? text : text.slice(0, at) + REDACTED;
}

/** Decodes escapes of JSON, URLs and HTML. Drops an escape that is cut at the end. */
function unescape(text: string): string {
  return text.replace(/(?:\\+u?[\da-f]{0,3}|%(?:25)*[\da-f]?|&#?x?[\da-z]{0,5})$/i, "")
    .replace(
      /(?:\\+u00|%(?:25)*|&#x0*)([\da-f]{2});?/gi,
      (_escape, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)),
    )
    .replace(/&#0*(\d{2,3});/g, (_escape, code: string) => String.fromCharCode(Number(code)))
    .replace(/&(quot|amp|lt|gt|apos);/gi, (_escape, name: string) => HTML_NAMES[name.toLowerCase()] ?? "")
    .replace(/\\+(?=["/])/g, "");
}

const HTML_NAMES: Readonly<Record<string, string>> = { quot: '"', amp: "&", lt: "<", gt: ">", apos: "'" };

/**
 * Returns a pattern for an ASCII character: itself, percent-encoded once or several times, or escaped once or several
 * times as in JSON, or as in HTML.
 */
function toPattern(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/, "\\$&");
  const names = Object.keys(HTML_NAMES).filter((name) => HTML_NAMES[name] === character).map((name) =>
    `|${name}`
  );
  const html = `&(?:#x0{0,4}${hex}|#0{0,4}${code}${names.join("")});`;
  // A plus sign in a query is a blank once it is decoded.
  const blank = character === "+" ? "| " : "";
  return `(?:\\\\{0,8}${literal}|(?:\\\\{1,8}u00|%(?:25){0,4})${hex}|${html}${blank})`;
}

/** Returns the credentials of a header such as `authorization`, without its scheme. */
export function credentialsOf(header: string): string | undefined {
  return /^(?:basic|bearer|token|key|apikey)\s+(\S+)\s*$/i.exec(header)?.[1];
}
