import { adminKey, type GatewayKey, gatewayKeys } from "../gateway_keys.ts";
import { modelAccess, type ModelAccessInput } from "../model_access.ts";
import { hostName, list, onOff, origin, type Schema, storeUrl } from "../schemas.ts";

/** Settings that decide who may use the gateway, part of the table in `settings.ts`. */
export const ACCESS_SETTINGS = {
  GATEWAY_API_KEYS: {
    flag: "--gateway-keys",
    reload: true,
    schema: (): Schema<string | readonly string[], readonly GatewayKey[]> => gatewayKeys(),
    secret: true,
    guards: true,
    text:
      "Client keys: `key`, `name:key` or `name:sha256:digest`, separated by commas; unset: clients need no key",
  },
  GATEWAY_ADMIN_KEY: {
    flag: "--admin-key",
    reload: true,
    schema: (): Schema<string, GatewayKey> => adminKey(),
    secret: true,
    guards: true,
    text:
      "Operator's key, `key` or `sha256:digest`: grants access as a client, and to metrics, errors, counters and `/v1/mcp/`",
  },
  KEY_STORE: {
    flag: "--key-store",
    schema: (): Schema<string, string> => storeUrl("state_dir"),
    secret: true,
    guards: true,
    text:
      "Store of the keys made at `/v1/gateway/keys`: state_dir (in `STATE_DIR`), or a redis:// or rediss:// URL; clients then need a key; unset: none can be made",
  },
  SIGN_IN: {
    flag: "--sign-in",
    reload: true,
    schema: (): Schema<string | boolean, "on" | "off"> => onOff(),
    default: "off",
    text: "Sign-in from Claude Code with a key of the gateway: on or off",
  },
  MODEL_ACCESS: {
    flag: "--model-access",
    reload: true,
    schema: (): Schema<ModelAccessInput, ReadonlyMap<string, readonly string[]>> => modelAccess(),
    default: "{}",
    text:
      'Models that each key may use, as JSON: `{"name": ["openai/*", "fast"]}`; `*` is every other key; unset: all',
  },
  OPEN_ACCESS: {
    flag: "--open-access",
    reload: true,
    schema: (): Schema<string | boolean, "on" | "off"> => onOff(),
    default: "off",
    text: "Access from other machines without keys: on or off",
  },
  ALLOWED_HOSTS: {
    flag: "--allowed-hosts",
    reload: true,
    schema: (): Schema<string | readonly string[], readonly string[]> => list(hostName()),
    text:
      "Accepted names in the `Host` header besides localhost, separated by commas; unset on a public address: any",
  },
  CORS_ORIGINS: {
    flag: "--cors-origins",
    reload: true,
    schema: (): Schema<string | readonly string[], readonly string[]> => list(origin()),
    text:
      "Origins whose web pages may call the gateway, separated by commas; `*` allows all; unset: CORS is off",
  },
} as const;
