import { FetchError } from "../errors.ts";
import { isPublicAddress } from "./address.ts";

/** A URL that may be asked. */
export interface Target {
  readonly url: URL;
  /** The host's address, where the URL names it by its address. */
  readonly literalAddress: string | undefined;
  /** Whether the owner has allowed the host, wherever it is; else every address that it turns out to have is checked. */
  readonly exempt: boolean;
}

/** Names that mean this machine or this network to whoever resolves them. */
const LOCAL_NAME = /(^|\.)(localhost|localdomain|local|internal|home\.arpa)$/;

/** A name of the public internet: two labels at least, of which the last is no number. */
const PUBLIC_NAME =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Ports of other protocols above 1023. Source: https://fetch.spec.whatwg.org/#port-blocking */
const BAD_PORTS = new Set([
  ...[1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679],
  ...[6697, 10080],
]);

/**
 * Reads a URL that a model or a page names, and tells whether it may be asked.
 *
 * `http` without a port becomes `https`; a fragment is left out. Nothing is resolved here: a host with a name is still
 * to be checked by its addresses.
 *
 * @throws {FetchError} `invalid_tool_input` for what is no URL, `url_not_allowed` for what may not be asked.
 *
 * @example Usage
 * ```ts
 * import { parseTarget } from "./url.ts";
 *
 * console.assert(parseTarget("http://example.com/#top", new Set()).url.href === "https://example.com/");
 * ```
 */
export function parseTarget(text: string, allowHosts: ReadonlySet<string>): Target {
  const url = parseUrl(text);
  const reject = (why: string): never => {
    throw new FetchError("url_not_allowed", `Cannot fetch "${shortenUrl(text)}": ${why}`);
  };
  if (url.protocol !== "http:" && url.protocol !== "https:") reject("only http and https may be asked");
  if (url.username !== "" || url.password !== "") reject("a URL with a user name or a password is not asked");
  if (allowHosts.has(toHostAndPort(url))) {
    return { url, literalAddress: parseLiteralAddress(url.hostname), exempt: true };
  }

  if (!isWebPort(url.port)) reject("its port is not one that web pages are served on");
  const literalAddress = parseLiteralAddress(url.hostname);
  if (literalAddress !== undefined) {
    if (!isPublicAddress(literalAddress)) reject(NOT_PUBLIC);
  } else {
    url.hostname = url.hostname.replace(/\.$/, "");
    if (!PUBLIC_NAME.test(url.hostname) || LOCAL_NAME.test(url.hostname)) reject(NOT_PUBLIC);
  }
  if (url.protocol === "http:" && url.port === "") url.protocol = "https:";
  return { url, literalAddress, exempt: false };
}

/**
 * Writes hosts that the owner names as a URL would name them: `LOCALHOST:80` as `localhost:80`.
 *
 * @throws {TypeError} for an entry that is no `host:port`.
 */
export function parseAllowHosts(entries: Iterable<string>): ReadonlySet<string> {
  return new Set(Array.from(entries, (entry) => {
    const url = /^[^\s/?#@\\]+:\d+$/.test(entry) && URL.canParse(`http://${entry}`)
      ? new URL(`http://${entry}`)
      : undefined;
    if (url === undefined) throw new TypeError(`Cannot allow "${entry}": it is not host:port`);
    return toHostAndPort(url);
  }));
}

/** Why a host is refused by its address, without telling which it is. */
export const NOT_PUBLIC =
  "its host is not on the public internet, and the gateway's owner has not allowed it";

/** A URL as a message quotes it. */
export function shortenUrl(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function parseUrl(text: string): URL {
  const trimmed = text.trim();
  // The parser would take tabs, line ends and backslashes out of the host or turn them into something else.
  if (!/^[^\p{Cc}\s\\]+$/u.test(trimmed) || !URL.canParse(trimmed)) {
    throw new FetchError(
      "invalid_tool_input",
      `Cannot fetch "${shortenUrl(text)}": it is not a complete URL such as https://example.com/page`,
    );
  }
  const url = new URL(trimmed);
  url.hash = "";
  return url;
}

function toHostAndPort({ hostname, port, protocol }: URL): string {
  return `${hostname}:${port === "" ? DEFAULT_PORTS[protocol] : port}`;
}

const DEFAULT_PORTS: Record<string, string> = { "http:": "80", "https:": "443" };

function isWebPort(port: string): boolean {
  return port === "" || port === "80" || port === "443" ||
    (Number(port) >= 1024 && !BAD_PORTS.has(Number(port)));
}

/** The address by which a URL names its host; the parser has written every form of IPv4 as four decimal numbers. */
function parseLiteralAddress(hostname: string): string | undefined {
  if (hostname.startsWith("[")) return hostname.slice(1, -1);
  return /^\d+(\.\d+){3}$/.test(hostname) ? hostname : undefined;
}
