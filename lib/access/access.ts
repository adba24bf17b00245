import type { Config } from "../config/settings.ts";
import { isLoopback, toHostName } from "../base/host_name.ts";
import type { OriginPolicy } from "./origin_check.ts";
import { type ApiKeys, createApiKeys } from "./api_keys.ts";

/** Who is let in. */
export interface Access {
  apiKeys: ApiKeys;
  originPolicy: OriginPolicy;
}

/**
 * Creates what lets in, of the settings and of the host that is listened on, where that is known: on a loopback address
 * nobody is answered who calls the gateway by another name than this machine's own or one in `ALLOWED_HOSTS`.
 */
export function createAccess(config: Config, host?: string): Access {
  const { gatewayApiKeys, gatewayAdminKey, allowedHosts = [], corsOrigins = [] } = config;
  const ownName = host !== undefined && isLoopback(host) ? toHostName(host) : undefined;
  const checksHost = ownName !== undefined || allowedHosts.length > 0;
  return {
    apiKeys: createApiKeys(gatewayApiKeys, gatewayAdminKey),
    originPolicy: {
      hosts: checksHost
        ? new Set([...LOOPBACK_NAMES, ...(ownName === undefined ? [] : [ownName]), ...allowedHosts])
        : undefined,
      origins: new Set(corsOrigins),
    },
  };
}

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];
