import ipaddr from "ipaddr.js";

/** The only IPv6 range assigned to the public internet so far; the other ranges have other purposes. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/** Public address through which virtual machines on Azure reach their host. */
const AZURE_HOST = "168.63.129.16";

/**
 * Returns true if an address belongs to the public internet.
 *
 * Addresses that embed another address (IPv4-mapped, NAT64, 6to4, Teredo) never do, whatever they embed.
 *
 * @example Usage
 * ```ts
 * import { isPublicAddress } from "./address.ts";
 *
 * console.assert(isPublicAddress("8.8.8.8") && !isPublicAddress("::ffff:8.8.8.8"));
 * ```
 */
export function isPublicAddress(address: string): boolean {
  if (!ipaddr.IPv4.isValidFourPartDecimal(address) && !ipaddr.IPv6.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== "unicast" || parsed.toString() === AZURE_HOST) return false;
  return parsed.kind() === "ipv4" || parsed.match(GLOBAL_UNICAST);
}
