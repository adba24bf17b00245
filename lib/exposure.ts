import { type Config, ConfigError } from "./config.ts";
import { isLoopback } from "./host_name.ts";
import { quote } from "./redact.ts";

/**
 * Refuses to serve others than this machine without keys, unless that is said to be meant. No host is one that only
 * the runtime knows.
 *
 * @throws {ConfigError}
 *
 * @example Usage
 * ```ts
 * import { parseConfig } from "./config.ts";
 * import { refuseExposure } from "./exposure.ts";
 *
 * refuseExposure(parseConfig({}), "127.0.0.1");
 * refuseExposure(parseConfig({ settings: { OPEN_ACCESS: "on" } }), "0.0.0.0");
 * ```
 */
export function refuseExposure({ gatewayApiKeys, openAccess }: Config, host?: string): void {
  if (gatewayApiKeys !== undefined || openAccess === "on") return;
  if (host !== undefined && isLoopback(host)) return;
  const where = host === undefined ? "where the runtime chooses" : `on ${quote(host)}`;
  throw new ConfigError([
    `Cannot listen ${where} without keys: whoever reaches it could use it; GATEWAY_API_KEYS sets keys, OPEN_ACCESS=on does without`,
  ]);
}
