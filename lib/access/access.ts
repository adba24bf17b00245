import type { Config } from "../config/settings.ts";
import { isLoopback, toHostName } from "../base/host_name.ts";
import type { OriginPolicy } from "./origin_check.ts";
import { createModelAccess, type ModelAccess } from "./model_access.ts";
import { type ApiKeys, createApiKeys } from "./api_keys.ts";

/** Access checks of the gateway. */
export interface Access {
  apiKeys: ApiKeys;
  originPolicy: OriginPolicy;
  models: ModelAccess;
}

/**
 * Creates the access checks from the settings and, if known, from the `host` that the gateway listens on.
 *
 * On a loopback host, or if `ALLOWED_HOSTS` is set, the accepted `Host` names are `localhost`, `127.0.0.1`, `[::1]`,
 * the loopback host itself and `ALLOWED_HOSTS`. Otherwise any name is accepted.
 */
export function createAccess(config: Config, host?: string): Access {
  const { gatewayApiKeys, gatewayAdminKey, allowedHosts = [], corsOrigins = [] } = config;
  const ownName = host !== undefined && isLoopback(host) ? toHostName(host) : undefined;
  const checksHost = ownName !== undefined || allowedHosts.length > 0;
  return {
    apiKeys: createApiKeys(gatewayApiKeys, gatewayAdminKey),
    models: createModelAccess(config.modelAccess),
    originPolicy: {
      hosts: checksHost
        ? new Set([...LOOPBACK_NAMES, ...(ownName === undefined ? [] : [ownName]), ...allowedHosts])
        : undefined,
      origins: new Set(corsOrigins),
    },
  };
}

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];
