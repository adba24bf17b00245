import ipaddr from "ipaddr.js";

/** What IPv6 has given out so far as addresses of the public internet; everything else has another purpose. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");

/** A public address at which machines of Azure find the host that they run on. */
const AZURE_HOST = "168.63.129.16";

/**
 * Tells whether an address belongs to the public internet.
 *
 * Addresses that carry another one inside (IPv4-mapped, NAT64, 6to4, Teredo) do not, whichever they carry.
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
