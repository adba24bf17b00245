import { lookup } from "node:dns/promises";
import { isPublicAddress } from "../../policy/address.ts";
import { NOT_PUBLIC, shortenUrl, type Target } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";

/** Resolves a host name to IP addresses. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** Resolves names with the operating system. */
export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/**
 * Resolves the addresses of a target once. The connection uses one of them, and does not resolve the name again.
 *
 * If any address is not public, all are rejected, unless the operator has allowed the host.
 *
 * @throws {FetchError} if the host is not found, or an address is not public.
 */
export async function resolveTarget(
  { url, literalAddress, exempt }: Target,
  resolve: Resolve,
): Promise<readonly string[]> {
  const addresses = literalAddress === undefined ? await resolveHost(url, resolve) : [literalAddress];
  if (exempt || addresses.every(isPublicAddress)) return addresses;
  throw new FetchError("url_not_allowed", `Cannot fetch "${shortenUrl(url.href)}": ${NOT_PUBLIC}`);
}

async function resolveHost(url: URL, resolve: Resolve): Promise<readonly string[]> {
  const noHostMessage = `Cannot fetch "${shortenUrl(url.href)}": host "${url.hostname}" was not found`;
  try {
    const addresses = await resolve(url.hostname);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    throw new FetchError("url_not_accessible", noHostMessage, { cause });
  }
  throw new FetchError("url_not_accessible", noHostMessage);
}
