import type { Domains } from "../../policy/domains.ts";
import { readTarget, type Target, toShown } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";
import type { Dial, Reply } from "./connect.ts";
import { type Resolve, resolveTarget } from "./resolve.ts";
import type { After, TimeLimit } from "./time_limit.ts";

/** What a guarded fetch is made of. */
export interface GuardOptions {
  readonly allowHosts: ReadonlySet<string>;
  readonly redirects: number;
  /** Where the first URL and each redirect must stay. */
  readonly domains: Domains;
  /** Whether a redirect to another host is followed. */
  readonly leaveHost: boolean;
  readonly resolve: Resolve;
  readonly dial: Dial;
  readonly after: After;
  readonly limit: TimeLimit;
}

/** What came of a fetch: the answer of a host, or the URL on another host to which it led. */
export type Fetched = { url: URL; reply: Reply } | { url: URL; status: number; movedTo: URL };

/** Milliseconds that an address of several has to answer before the next one is asked. */
const PATIENCE = 5_000;

/**
 * Fetches what a URL leads to. Each URL on the way is judged and resolved on its own, and asked at an address that was
 * judged.
 *
 * @throws {FetchError}
 */
export async function fetchGuarded(start: string, options: GuardOptions): Promise<Fetched> {
  let target = readTarget(start, options.allowHosts);
  for (let hop = 0; hop <= options.redirects; hop++) {
    const { url } = target;
    if (!options.domains(url)) {
      throw new FetchError(
        "url_not_allowed",
        `Cannot fetch "${toShown(url.href)}": its domain is not allowed`,
      );
    }
    const reply = await ask(target, options);
    const location = REDIRECTS.has(reply.status) ? toUtf8(reply.header("location")) : undefined;
    if (location === undefined) return { url, reply };

    reply.close();
    if (!URL.canParse(location, url.href)) {
      throw new FetchError(
        "url_not_accessible",
        `Cannot fetch "${toShown(url.href)}": it redirects to what is no URL`,
      );
    }
    const next = new URL(location, url);
    if (!options.leaveHost && !isSameHost(url, next)) return { url, status: reply.status, movedTo: next };
    target = readTarget(next.href, options.allowHosts);
  }
  const why = `it redirects more than ${options.redirects} times`;
  throw new FetchError("url_not_accessible", `Cannot fetch "${toShown(start)}": ${why}`);
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/** Headers are read byte by byte, but a URL that is not all ASCII was written as UTF-8. */
function toUtf8(header: string | undefined): string | undefined {
  if (header === undefined || !/^[\0-\xff]*$/.test(header)) return header;
  return new TextDecoder().decode(Uint8Array.from(header, (character) => character.charCodeAt(0)));
}

/** Asks the addresses of a target in turn, as long as none answers. */
async function ask(target: Target, { resolve, dial, after, limit }: GuardOptions): Promise<Reply> {
  const { url } = target;
  const addresses = await limit.hold(resolveTarget(target, resolve));
  let failure: unknown;
  for (const [at, address] of addresses.entries()) {
    const attempt = new AbortController();
    const giveUp = () => attempt.abort(new DOMException("The address does not answer", "TimeoutError"));
    const callOff = at < addresses.length - 1 ? after(PATIENCE, giveUp) : undefined;
    try {
      const signal = AbortSignal.any([limit.signal, attempt.signal]);
      return await limit.hold(dial({ url, address, signal }));
    } catch (cause) {
      limit.signal.throwIfAborted();
      failure = cause;
    } finally {
      callOff?.();
    }
  }
  throw new FetchError("url_not_accessible", `Cannot fetch "${toShown(url.href)}": ${toReason(failure)}`, {
    cause: failure,
  });
}

/** What is said of a connection that came to nothing: one of a few sentences, for the error itself names addresses. */
function toReason(failure: unknown): string {
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
  const toName = ({ hostname }: URL) => hostname.replace(/^www\./, "");
  return toName(one) === toName(other) && one.port === other.port;
}
