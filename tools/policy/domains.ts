/** Which domains may answer: those of one list alone, or all but those of the other. */
export interface DomainLists {
  readonly allowedDomains?: readonly string[] | undefined;
  readonly blockedDomains?: readonly string[] | undefined;
}

/** Tells whether a URL is within what the lists leave. */
export type DomainFilter = (url: URL) => boolean;

/** What is wrong with the lists. */
export class DomainsError extends Error {
  override name = "DomainsError";
}

/**
 * Reads lists of domains, each with its subdomains: `example.com`, `docs.example.com/api`, `example.com/*`. They are
 * compared label by label from the right, so that `example.com` is not `example.com.evil.test` nor `badexample.com`;
 * a path is the beginning of a page's path, and `*` in it stands for anything.
 *
 * @throws {DomainsError} for both lists at once, and for an entry that is no domain.
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
    throw new DomainsError("allowed_domains and blocked_domains may not both be given");
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
  /** The pieces of the path between its stars; a page's path must hold them in this order. */
  path: readonly string[];
}

/** An entry may have a scheme in front, as models like to write it; which one does not matter. */
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

/** A path as it reads: what is written as `%70` is a `p` to the host as well. */
function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A name that ends in a dot is the same name. */
function withoutTrailingDot(host: string): string {
  return host.replace(/\.$/, "");
}
