/**
 * Replaces apparent credentials with `[redacted]`.
 *
 * Covers keys with a known prefix, Bearer tokens, JSON Web Tokens, values of headers and query parameters that carry
 * keys, and the user part of a URL.
 *
 * @example Usage
 * ```ts
 * import { redact } from "./redact.ts";
 *
 * redact("401 for sk-or-v1-0123456789abcdef"); // "401 for [redacted]"
 * ```
 */
export function redact(text: string): string {
  if (!MAYBE_SECRET.test(text)) return text;
  return SECRETS.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text);
}

/** Quotes untrusted text for a message: on one line, redacted, cut after 100 characters. */
export function quote(text: string): string {
  const safe = redact(text);
  return JSON.stringify(safe.length > 100 ? `${safe.slice(0, 100)}…` : safe);
}

/**
 * Matches whatever one of the patterns below matches. Most texts match nothing, and one scan shows that. An `@` counts
 * only after what may be a URL: each line of the log has the field `@timestamp`. The search runs backwards from each
 * `@` to the one before it at most.
 */
const MAYBE_SECRET =
  /bearer|api[-_]?key|auth|access[-_]?token|(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|ghp|github_pat)[-_][\w-]{8}|AIza|eyJ|@(?<=(?::\/\/|https?:)[^\s"'\\@]{0,300}@)|key=/i;

// Backtracking is bounded in each pattern: the time is linear in the length of the text.
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\bBearer\s+[^\s"'\\,;]+/gi, "Bearer [redacted]"],
  [
    /(api[-_]?key|(?:access|auth)[-_]?token|authorization)(\\?["']?\s*[:=]\s*\\?["']?)(?!Bearer\b|(?:null|true|false|\d+)[,}\]])(?:Basic\s+)?[^\s"'\\,;&]+/gi,
    "$1$2[redacted]",
  ],
  // A key may follow an escape of a URL, such as `%20`.
  [
    /(?:\b|(?<=%[\da-fA-F]{2}))(?:sk|pk|rk|gsk|xai|hf|r8|nvapi|pplx|csk|ghp|github_pat)[-_][\w-]{8,}/g,
    "[redacted]",
  ],
  [/(?:\b|(?<=%[\da-fA-F]{2}))AIza[\w-]{20,}/g, "[redacted]"],
  [/(?:(?<![\w-])|(?<=%[\da-fA-F]{2}))eyJ[\w-]{8,}\.[\w-]+\.[\w-]*/g, "[redacted]"],
  // A `file:` URL without a host has no user: a stack names the files of packages such as `@hono/node-server`.
  [/(\w{1,20}(?!(?<=\bfile):\/\/\/):\/\/|https?:)[^\s"'\\]{0,300}@/gi, "$1[redacted]@"],
  [/([?&]key=)[^\s&#"'\\]+/gi, "$1[redacted]"],
];
