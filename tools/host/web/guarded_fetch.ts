import type { DomainFilter } from "../../policy/domains.ts";
import { parseTarget, shortenUrl, type Target } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import type { Connect, PageResponse } from "./connect.ts";
import { type Resolve, resolveTarget } from "./resolve.ts";
import type { After, TimeLimit } from "./time_limit.ts";

/** What a guarded fetch is made of. */
export interface GuardedFetchOptions {
  readonly allowHosts: ReadonlySet<string>;
  readonly redirects: number;
  /** Where the first URL and each redirect must stay. */
  readonly isAllowed: DomainFilter;
  /** Whether a redirect to another host is followed. */
  readonly followToOtherHost: boolean;
  readonly resolve: Resolve;
  readonly connect: Connect;
  readonly after: After;
  readonly limit: TimeLimit;
}

/** What came of a fetch: the answer of a host, or the URL on another host to which it led. */
export type FetchResult = { url: URL; response: PageResponse } | { url: URL; status: number; movedTo: URL };

/** Milliseconds that an address of several has to answer before the next one is asked. */
const ADDRESS_TIMEOUT_MS = 5_000;

/**
 * Fetches what a URL leads to. Each URL on the way is judged and resolved on its own, and asked at an address that was
 * judged.
 *
 * @throws {FetchError}
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
        `Cannot fetch "${shortenUrl(url.href)}": it redirects to what is no URL`,
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

/** Headers are read byte by byte, but a URL that is not all ASCII was written as UTF-8. */
function decodeHeader(header: string | undefined): string | undefined {
  if (header === undefined || !/^[\0-\xff]*$/.test(header)) return header;
  return new TextDecoder().decode(Uint8Array.from(header, (character) => character.charCodeAt(0)));
}

/** Asks the addresses of a target in turn, as long as none answers. */
async function requestPage(
  target: Target,
  { resolve, connect, after, limit }: GuardedFetchOptions,
): Promise<PageResponse> {
  const { url } = target;
  const addresses = await limit.race(resolveTarget(target, resolve));
  let failure: unknown;
  for (const [at, address] of addresses.entries()) {
    const controller = new AbortController();
    const onTimeout = () => controller.abort(new DOMException("The address does not answer", "TimeoutError"));
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

/** What is said of a connection that came to nothing: one of a few sentences, for the error itself names addresses. */
function describeFailure(failure: unknown): string {
  const code = failure instanceof Error && "code" in failure ? String(failure.code) : "";
  // Deno asks for `--allow-net`, and for `--allow-sys=ca --allow-env=NODE_USE_SYSTEM_CA` to look at a certificate.
  if (failure instanceof Error && failure.name === "NotCapable") {
    return "the gateway was started without permission";
  }
  if (code === "ECONNREFUSED") return "its host refuses the connection";
  if (code === "HPE_HEADER_OVERFLOW") return "its host answers with headers that are too large";
  if (code.startsWith("HPE_")) return "its host does not answer in HTTP";
  if (/CERT|TLS|SSL|ALTNAME|SELF_SIGNED/.test(code)) return "its host has no certificate that can be trusted";
  return "its host does not answer";
}

/** Two URLs are of one host whether or not its name begins with `www.`, and whether or not it is asked in secret. */
function isSameHost(one: URL, other: URL): boolean {
  const bareHostname = ({ hostname }: URL) => hostname.replace(/^www\./, "");
  return bareHostname(one) === bareHostname(other) && one.port === other.port;
}
