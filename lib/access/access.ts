import type { LimitSet } from "../config/limits.ts";
import type { Config } from "../config/settings.ts";
import { isLoopback, toHostName } from "../base/host_name.ts";
import type { CredentialSource } from "./credentials.ts";
import type { OriginPolicy } from "./origin_check.ts";
import { createModelAccess, type ModelAccess } from "./model_access.ts";
import { type ApiKeys, createApiKeys } from "./api_keys.ts";

/** Access checks of the gateway. */
export interface Access {
  apiKeys: ApiKeys;
  originPolicy: OriginPolicy;
  models: ModelAccess;
  keyRules: KeyRules;
}

/** What applies to one key; undefined where the rules of all keys apply. */
export interface KeyRules {
  /** Returns the patterns of the models that the key may use. */
  models(name: string): readonly string[] | undefined;
  /** Returns the limits that override those of each key. */
  limits(name: string): LimitSet | undefined;
}

/** Keys that are not in the settings, and their rules. */
export interface StoredKeys extends CredentialSource {
  /** Returns the rules of a key, as last read. */
  find(name: string): { models?: readonly string[] | undefined; limits?: LimitSet | undefined } | undefined;
}

/** Options of {@linkcode createAccess}. */
export interface AccessOptions {
  /** Host that the gateway listens on, if it is known. */
  host?: string | undefined;
  stored?: StoredKeys | undefined;
}

/**
 * Creates the access checks from the settings.
 *
 * On a loopback host, or if `ALLOWED_HOSTS` is set, the accepted `Host` names are `localhost`, `127.0.0.1`, `[::1]`,
 * the loopback host itself and `ALLOWED_HOSTS`. Otherwise any name is accepted.
 */
export function createAccess(config: Config, { host, stored }: AccessOptions = {}): Access {
  const { gatewayApiKeys, gatewayAdminKey, keyStore, allowedHosts = [], corsOrigins = [] } = config;
  const ownName = host !== undefined && isLoopback(host) ? toHostName(host) : undefined;
  const checksHost = ownName !== undefined || allowedHosts.length > 0;
  const apiKeys = createApiKeys(gatewayApiKeys, gatewayAdminKey, {
    stored,
    required: keyStore !== undefined,
    signIn: config.signIn === "on",
  });
  const keyRules = createKeyRules(config, { names: new Set(apiKeys.names), stored });
  return {
    apiKeys,
    keyRules,
    models: createModelAccess({ get: keyRules.models }),
    originPolicy: {
      hosts: checksHost
        ? new Set([...LOOPBACK_NAMES, ...(ownName === undefined ? [] : [ownName]), ...allowedHosts])
        : undefined,
      origins: new Set(corsOrigins),
    },
  };
}

const LOOPBACK_NAMES = ["localhost", "127.0.0.1", "[::1]"];

/** Creates the rules of keys: those made with the key, else those of the settings. */
function createKeyRules(
  { modelAccess, limits }: Pick<Config, "modelAccess" | "limits">,
  { names, stored }: { names: ReadonlySet<string>; stored: StoredKeys | undefined },
): KeyRules {
  // A key of the settings takes precedence over one of the same name in the store.
  const find = (name: string) => names.has(name) ? undefined : stored?.find(name);
  return {
    models: (name) => find(name)?.models ?? modelAccess.get(name),
    limits: (name) => find(name)?.limits ?? limits.keys.get(name),
  };
}
