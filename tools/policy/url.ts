import { FetchError } from "../errors.ts";
import { isPublicAddress } from "./address.ts";

/** A URL that may be fetched. */
export interface Target {
  readonly url: URL;
  /** The host's IP address, if the URL contains it instead of a name. */
  readonly literalAddress: string | undefined;
  /** True if the operator has allowed the host. Otherwise every resolved address must be checked. */
  readonly exempt: boolean;
}

/** Names that resolve to the local machine or the local network. */
const LOCAL_NAME = /(^|\.)(localhost|localdomain|local|internal|home\.arpa)$/;

/** A public host name: at least two labels, of which the last begins with a letter. */
const PUBLIC_NAME =
  /^(?=.{1,253}$)([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Ports of other protocols above 1023. Source: https://fetch.spec.whatwg.org/#port-blocking */
const BAD_PORTS = new Set([
  ...[1719, 1720, 1723, 2049, 3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679],
  ...[6697, 10080],
]);

/**
 * Parses a URL from a model or a page, and rejects one that may not be fetched.
 *
 * `http` without a port becomes `https`, and the fragment is removed. Names are not resolved here: the caller must
 * check the addresses of a host unless the target is exempt.
 *
 * @throws {FetchError} `invalid_tool_input` if it is not a URL, `url_not_allowed` if it may not be fetched.
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
  if (url.protocol !== "http:" && url.protocol !== "https:") reject("only http and https URLs are allowed");
  if (url.username !== "" || url.password !== "") {
    reject("a URL with a user name or a password is not allowed");
  }
  if (allowHosts.has(toHostAndPort(url))) {
    return { url, literalAddress: parseLiteralAddress(url.hostname), exempt: true };
  }

  if (!isWebPort(url.port)) reject("its port is not allowed");
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
 * Parses the operator's allowed hosts and normalizes them as URLs do: `LOCALHOST:80` becomes `localhost:80`.
 *
 * @throws {TypeError} if an entry is not `host:port`.
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

/** Reason for rejecting a host because of its address. It omits the address. */
export const NOT_PUBLIC = "its host is not on the public internet, and the operator has not allowed it";

/** Shortens a URL for a message, to 300 characters. */
export function shortenUrl(text: string): string {
  return text.length > 300 ? `${text.slice(0, 300)}…` : text;
}

function parseUrl(text: string): URL {
  const trimmed = text.trim();
  // The URL parser would remove tabs and line ends, and replace backslashes.
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

/** Returns the host if it is an IP address. The URL parser converts all forms of IPv4 to 4 decimal numbers. */
function parseLiteralAddress(hostname: string): string | undefined {
  if (hostname.startsWith("[")) return hostname.slice(1, -1);
  return /^\d+(\.\d+){3}$/.test(hostname) ? hostname : undefined;
}
