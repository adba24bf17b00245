import type { DomainFilter } from "../../policy/domains.ts";
import { parseTarget, shortenUrl, type Target } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import type { Connect, PageResponse } from "./connect.ts";
import { type Resolve, resolveTarget } from "./resolve.ts";
import type { After, TimeLimit } from "./time_limit.ts";

/** Rules, network access and time limit of a guarded fetch. */
export interface GuardedFetchOptions {
  readonly allowHosts: ReadonlySet<string>;
  /** Maximum number of redirects. */
  readonly redirects: number;
  /** Domains that the first URL and each redirect must match. */
  readonly isAllowed: DomainFilter;
  /** True to follow a redirect to another host. */
  readonly followToOtherHost: boolean;
  readonly resolve: Resolve;
  readonly connect: Connect;
  readonly after: After;
  readonly limit: TimeLimit;
}

/** Result of a fetch: the response, or the URL on another host to which it redirects. */
export type FetchResult = { url: URL; response: PageResponse } | { url: URL; status: number; movedTo: URL };

/** Time to wait for a response from one address before the next one is tried. */
const ADDRESS_TIMEOUT_MS = 5_000;

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
    const response = await requestPage(target, options);
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

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Decodes a header as UTF-8. Headers are read as Latin-1, but hosts write non-ASCII URLs in UTF-8. */
function decodeHeader(header: string | undefined): string | undefined {
  if (header === undefined || !/^[\0-\xff]*$/.test(header)) return header;
  return new TextDecoder().decode(Uint8Array.from(header, (character) => character.charCodeAt(0)));
}

/** Tries the addresses of a target in turn until one responds. */
async function requestPage(
  target: Target,
  { resolve, connect, after, limit }: GuardedFetchOptions,
): Promise<PageResponse> {
  const { url } = target;
  const addresses = await limit.race(resolveTarget(target, resolve));
  let failure: unknown;
  for (const [at, address] of addresses.entries()) {
    const controller = new AbortController();
    const onTimeout = () =>
      controller.abort(new DOMException("The address did not respond in time", "TimeoutError"));
    const cancelTimer = at < addresses.length - 1 ? after(ADDRESS_TIMEOUT_MS, onTimeout) : undefined;
    try {
      const signal = AbortSignal.any([limit.signal, controller.signal]);
      return await limit.race(connect({ url, address, signal }));
    } catch (cause) {
      limit.signal.throwIfAborted();
      failure = cause;
    } finally {
      cancelTimer?.();
    }
  }
  throw new FetchError(
    "url_not_accessible",
    `Cannot fetch "${shortenUrl(url.href)}": ${describeFailure(failure)}`,
    {
      cause: failure,
    },
  );
}

/** Returns a fixed reason for a failed connection. The error's message is not used, because it contains addresses. */
function describeFailure(failure: unknown): string {
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  // Deno needs `--allow-net`, and for certificates `--allow-sys=ca --allow-env=NODE_USE_SYSTEM_CA`.
  if (failure instanceof Error && failure.name === "NotCapable") {
    return "the gateway was started without the required permission";
  }
  if (code === "ECONNREFUSED") return "its host refused the connection";
  if (code === "HPE_HEADER_OVERFLOW") return "its host sent headers that are too large";
  if (code.startsWith("HPE_")) return "its host did not send a valid HTTP response";
  if (/CERT|TLS|SSL|ALTNAME|SELF_SIGNED/.test(code)) return "its host has no trusted certificate";
  return "its host did not respond";
}

/** True if two URLs have the same host and port, regardless of a leading `www.` and of the scheme. */
function isSameHost(one: URL, other: URL): boolean {
  const bareHostname = ({ hostname }: URL) => hostname.replace(/^www\./, "");
  return bareHostname(one) === bareHostname(other) && one.port === other.port;
}
