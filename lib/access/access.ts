import type { Config } from "../config/settings.ts";
import { isLoopback, toHostName } from "../base/host_name.ts";
import type { Doors } from "./origin_check.ts";
import { createKeyring, type Keyring } from "./api_keys.ts";

/** Who is let in. */
export interface Access {
  keyring: Keyring;
  doors: Doors;
}

/**
 * Creates what lets in, of the settings and of the host that is listened on, where that is known: on a loopback address
 * nobody is answered who calls the gateway by another name than this machine's own or one in `ALLOWED_HOSTS`.
 */
export function createAccess(config: Config, host?: string): Access {
  const { gatewayApiKeys, gatewayAdminKey, allowedHosts = [], corsOrigins = [] } = config;
  const own = host !== undefined && isLoopback(host) ? toHostName(host) : undefined;
  const guarded = own !== undefined || allowedHosts.length > 0;
  return {
    keyring: createKeyring(gatewayApiKeys, gatewayAdminKey),
    doors: {
      hosts: guarded
        ? new Set([...OWN_NAMES, ...(own === undefined ? [] : [own]), ...allowedHosts])
        : undefined,
      origins: new Set(corsOrigins),
    },
  };
}

const OWN_NAMES = ["localhost", "127.0.0.1", "[::1]"];
