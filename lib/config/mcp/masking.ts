import { redact } from "../../base/redact.ts";

/** What stands for a secret. */
export const MASK = "[redacted]";

/** Words in the names of flags, variables and parameters whose values are secrets. */
const SECRET_WORDS =
  /key|token|secret|pass|pwd|auth|credential|bearer|cookie|header|session|signature|\bpat\b|dsn/i;
/** A flag within a text, such as the command of a shell, and its value. */
const FLAG_IN_TEXT = /(?<=^|\s)--?([\w-]{1,100})(?:=|\s+)([^\s"']+)/g;
/** A run of letters and digits that is probably a key. A path or the name of a package has other characters between. */
const RANDOM = /(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[A-Za-z])[\w-]{20,}/g;

/**
 * Returns the parts of a program's arguments that are probably secrets: values of flags and variables with names such
 * as `--api-key` and `GITHUB_TOKEN`, parameters and passwords of URLs, and long runs of letters and digits.
 *
 * @example Usage
 * ```ts
 * import { secretsInArgs } from "./masking.ts";
 *
 * const [secret] = secretsInArgs(["--token", "abc"]);
 * if (secret !== "abc") throw new Error(secret);
 * ```
 */
export function secretsInArgs(args: readonly string[]): string[] {
  return args.flatMap((arg, at) => {
    const flag = args[at - 1];
    if (flag !== undefined && isSecretFlag(flag) && !arg.startsWith("--")) return [arg];
    const [, password] = flag === "-u" || flag === "--user" ? /^[^:]*:(.+)$/s.exec(arg) ?? [] : [];
    if (password !== undefined) return [password];
    const [, name = "", value = ""] = /^([\w.-]+)=(.*)$/s.exec(arg) ?? [];
    // A variable of a container, as in `docker run -e NAME=value`, may be anything.
    if (value !== "" && (SECRET_WORDS.test(name) || /^[A-Z][A-Z\d_]*$/.test(name))) return [value];
    return [...secretsInText(arg), ...(value === "" ? [] : secretsInArgs([value]))];
  });
}

function isSecretFlag(flag: string): boolean {
  return flag === "-H" || (/^--?[\w-]+$/.test(flag) && SECRET_WORDS.test(flag));
}

/** Returns the parts of a text, such as a URL, that are probably secrets. */
export function secretsInText(text: string): string[] {
  const parameters = Array.from(
    text.matchAll(/[?&;][^=&;#\s]{1,200}=([^&;#\s]+)/g),
    ([, value = ""]) => value,
  );
  const passwords = Array.from(text.matchAll(/\w{1,20}:\/\/([^\s/@]{1,300})@/g), ([, user = ""]) => user);
  const values = Array.from(
    text.matchAll(FLAG_IN_TEXT),
    ([, flag = "", value = ""]) => SECRET_WORDS.test(flag) ? value : "",
  );
  return [...parameters, ...passwords, ...values, ...text.match(RANDOM) ?? []];
}

/** Replaces secrets in a text, the longest first, and everything that looks like a credential. */
export function mask(text: string, secrets: readonly string[]): string {
  const longestFirst = secrets.filter((secret) => secret !== "" && !isReference(secret))
    .toSorted((one, other) => other.length - one.length);
  return redact(longestFirst.reduce((rest, secret) => rest.replaceAll(secret, MASK), withoutDefaults(text)));
}

/** True if a text is a variable, which says nothing of its value. */
function isReference(text: string): boolean {
  return /^\$\{[A-Za-z_]\w*\}$/.test(text);
}

/** `${NAME:-default}` -> `${NAME}`: the default may be a secret. */
function withoutDefaults(text: string): string {
  return text.replace(/\$\{([A-Za-z_]\w*):-[^}]*\}/g, "${$1}");
}
