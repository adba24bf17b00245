import type { DomainFilter } from "../../policy/domains.ts";
import { parseTarget, shortenUrl } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import type { PageResponse } from "./connect.ts";
import { type RequestOptions, requestTarget } from "./request_target.ts";

/** Rules, network access and time limit of a guarded fetch. */
export interface GuardedFetchOptions extends RequestOptions {
  readonly allowHosts: ReadonlySet<string>;
  /** Maximum number of redirects. */
  readonly redirects: number;
  /** Domains that the first URL and each redirect must match. */
  readonly isAllowed: DomainFilter;
  /** True to follow a redirect to another host. */
  readonly followToOtherHost: boolean;
}

/** Result of a fetch: the response, or the URL on another host to which it redirects. */
export type FetchResult = { url: URL; response: PageResponse } | { url: URL; status: number; movedTo: URL };

/**
 * Fetches a URL and follows redirects. Each URL is checked and resolved separately, and requested at a checked address.
 *
 * @throws {FetchError} if a URL may not be fetched, or there is no response.
 */
export async function fetchGuarded(start: string, options: GuardedFetchOptions): Promise<FetchResult> {
  let target = parseTarget(start, options.allowHosts);
  for (let hop = 0; hop <= options.redirects; hop++) {
    const { url } = target;
    if (!options.isAllowed(url)) {
      throw new FetchError(
        "url_not_allowed",
        `Cannot fetch "${shortenUrl(url.href)}": its domain is not allowed`,
      );
    }
    const { response } = await requestTarget(target, options);
    const location = REDIRECTS.has(response.status) ? decodeHeader(response.header("location")) : undefined;
    if (location === undefined) return { url, response };

    response.close();
    if (!URL.canParse(location, url.href)) {
      throw new FetchError(
        "url_not_accessible",
        `Cannot fetch "${shortenUrl(url.href)}": it redirects to an invalid URL`,
      );
    }
    const next = new URL(location, url);
    if (!options.followToOtherHost && !isSameHost(url, next)) {
      return { url, status: response.status, movedTo: next };
    }
    target = parseTarget(next.href, options.allowHosts);
  }
  const why = `it redirects more than ${options.redirects} times`;
  throw new FetchError("url_not_accessible", `Cannot fetch "${shortenUrl(start)}": ${why}`);
}

/** Statuses of a redirect. */
export const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Decodes a header as UTF-8. Headers are read as Latin-1, but hosts write non-ASCII URLs in UTF-8. */
function decodeHeader(header: string | undefined): string | undefined {
  if (header === undefined || !/^[\0-\xff]*$/.test(header)) return header;
  return new TextDecoder().decode(Uint8Array.from(header, (character) => character.charCodeAt(0)));
}

/** True if two URLs have the same host and port, regardless of a leading `www.` and of the scheme. */
function isSameHost(one: URL, other: URL): boolean {
  const bareHostname = ({ hostname }: URL) => hostname.replace(/^www\./, "");
  return bareHostname(one) === bareHostname(other) && one.port === other.port;
}
