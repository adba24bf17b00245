/** Which domains may answer: those of one list alone, or all but those of the other. */
export interface DomainLists {
  readonly allowedDomains?: readonly string[] | undefined;
  readonly blockedDomains?: readonly string[] | undefined;
}

/** Tells whether a URL is within what the lists leave. */
export type Domains = (url: URL) => boolean;

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
 * import { readDomains } from "./domains.ts";
 *
 * const domains = readDomains({ allowedDomains: ["example.com"] });
 * console.assert(domains(new URL("https://docs.example.com/")) && !domains(new URL("https://example.com.evil.test/")));
 * ```
 */
export function readDomains({ allowedDomains = [], blockedDomains = [] }: DomainLists): Domains {
  if (allowedDomains.length > 0 && blockedDomains.length > 0) {
    throw new DomainsError("allowed_domains and blocked_domains may not both be given");
  }
  const allowed = allowedDomains.map(readEntry);
  const blocked = blockedDomains.map(readEntry);
  return (url) => {
    const isWithin = (entry: Entry) => matches(entry, url);
    return (allowed.length === 0 || allowed.some(isWithin)) && !blocked.some(isWithin);
  };
}

interface Entry {
  host: string;
  /** The pieces of the path between its stars; a page's path must hold them in this order. */
  path: readonly string[];
}

/** An entry may have a scheme in front, as models like to write it; which one does not matter. */
function readEntry(text: string): Entry {
  const [, host = "", path = ""] = /^(?:https?:\/\/)?([^/?#]*)(\/[^?#]*)?$/i.exec(text.trim()) ?? [];
  const url = /^[^\s:@\\%*]+$/.test(host) && URL.canParse(`http://${host}`)
    ? new URL(`http://${host}`)
    : undefined;
  if (url === undefined) {
    throw new DomainsError(`"${text.slice(0, 100)}" is not a domain such as example.com`);
  }
  return { host: withoutDot(url.hostname), path: decode(path).replace(/\/$/, "").split("*") };
}

function matches({ host, path: [start = "", ...pieces] }: Entry, url: URL): boolean {
  const asked = withoutDot(url.hostname);
  if (asked !== host && !asked.endsWith(`.${host}`)) return false;
  const path = `${decode(url.pathname).replace(/\/$/, "")}/`;
  const first = pieces.length === 0 && start !== "" ? `${start}/` : start;
  let at = path.startsWith(first) ? first.length : -1;
  for (const piece of pieces) {
    const found = at < 0 ? -1 : path.indexOf(piece, at);
    at = found < 0 ? -1 : found + piece.length;
  }
  return at >= 0;
}

/** A path as it reads: what is written as `%70` is a `p` to the host as well. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

/** A name that ends in a dot is the same name. */
function withoutDot(host: string): string {
  return host.replace(/\.$/, "");
}
