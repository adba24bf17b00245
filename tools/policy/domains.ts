/** Domain restrictions: an allow list or a block list. */
export interface DomainLists {
  readonly allowedDomains?: readonly string[] | undefined;
  readonly blockedDomains?: readonly string[] | undefined;
}

/** Returns true if the lists permit a URL. */
export type DomainFilter = (url: URL) => boolean;

/** An invalid domain list. */
export class DomainsError extends Error {
  override name = "DomainsError";
}

/**
 * Creates a filter from lists of domains such as `example.com`, `docs.example.com/api` and `example.com/*`.
 *
 * A domain includes its subdomains. Names are compared by labels from the right: `example.com` matches neither
 * `example.com.evil.test` nor `badexample.com`. A path matches as a prefix, by whole segments unless it contains `*`.
 * `*` matches any characters.
 *
 * @throws {DomainsError} if both lists have entries, or an entry is not a domain.
 *
 * @example Usage
 * ```ts
 * import { createDomainFilter } from "./domains.ts";
 *
 * const domains = createDomainFilter({ allowedDomains: ["example.com"] });
 * console.assert(domains(new URL("https://docs.example.com/")) && !domains(new URL("https://example.com.evil.test/")));
 * ```
 */
export function createDomainFilter({ allowedDomains = [], blockedDomains = [] }: DomainLists): DomainFilter {
  if (allowedDomains.length > 0 && blockedDomains.length > 0) {
    throw new DomainsError("allowed_domains and blocked_domains cannot both be used");
  }
  const allowed = allowedDomains.map(parseEntry);
  const blocked = blockedDomains.map(parseEntry);
  return (url) => {
    const matchesUrl = (entry: DomainEntry) => matchesEntry(entry, url);
    return (allowed.length === 0 || allowed.some(matchesUrl)) && !blocked.some(matchesUrl);
  };
}

interface DomainEntry {
  host: string;
  /** Pieces of the path between its `*`; a page's path must contain them in this order. */
  path: readonly string[];
}

/** Parses an entry. Its scheme is ignored: models often write one. */
function parseEntry(text: string): DomainEntry {
  const [, host = "", path = ""] = /^(?:https?:\/\/)?([^/?#]*)(\/[^?#]*)?$/i.exec(text.trim()) ?? [];
  const url = /^[^\s:@\\%*]+$/.test(host) && URL.canParse(`http://${host}`)
    ? new URL(`http://${host}`)
    : undefined;
  if (url === undefined) {
    throw new DomainsError(`"${text.slice(0, 100)}" is not a domain such as example.com`);
  }
  return { host: withoutTrailingDot(url.hostname), path: decodePath(path).replace(/\/$/, "").split("*") };
}

function matchesEntry({ host, path: [start = "", ...pieces] }: DomainEntry, url: URL): boolean {
  const hostname = withoutTrailingDot(url.hostname);
  if (hostname !== host && !hostname.endsWith(`.${host}`)) return false;
  const path = `${decodePath(url.pathname).replace(/\/$/, "")}/`;
  const first = pieces.length === 0 && start !== "" ? `${start}/` : start;
  let at = path.startsWith(first) ? first.length : -1;
  for (const piece of pieces) {
    const found = at < 0 ? -1 : path.indexOf(piece, at);
    at = found < 0 ? -1 : found + piece.length;
  }
  return at >= 0;
}

/** Decodes a path: a host treats `%70` as `p` too. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** Removes the dot at the end of a name, which does not change its meaning. */
function withoutTrailingDot(host: string): string {
  return host.replace(/\.$/, "");
}
