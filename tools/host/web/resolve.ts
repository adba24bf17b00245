import { lookup } from "node:dns/promises";
import { isPublicAddress } from "../../policy/address.ts";
import { NOT_PUBLIC, shortenUrl, type Target } from "../../policy/url.ts";
import { FetchError } from "../../errors.ts";

/** Finds the addresses of a host by its name. */
export type Resolve = (host: string) => Promise<readonly string[]>;

/** The runtime's own way to find addresses. */
export const systemResolve: Resolve = async (host) => {
  const found = await lookup(host, { all: true });
  return found.map(({ address }) => address);
};

/**
 * Finds the addresses of a target, once: whoever connects takes one of these and asks for the name no more. One address
 * that is not public is enough to refuse them all, unless the owner has allowed the host.
 *
 * @throws {FetchError}
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
  const noHostMessage = `Cannot fetch "${shortenUrl(url.href)}": there is no host "${url.hostname}"`;
  try {
    const addresses = await resolve(url.hostname);
    if (addresses.length > 0) return addresses;
  } catch (cause) {
    throw new FetchError("url_not_accessible", noHostMessage, { cause });
  }
  throw new FetchError("url_not_accessible", noHostMessage);
}
