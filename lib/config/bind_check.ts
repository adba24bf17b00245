import { ConfigError } from "./parse.ts";
import type { Config } from "./settings.ts";
import { isLoopback } from "../base/host_name.ts";
import { quote } from "../base/redact.ts";

/**
 * Refuses to serve others than this machine without keys, unless that is said to be meant. No host is one that only
 * the runtime knows: there a gateway without any key or upstream of its own has nothing that could be abused.
 *
 * @throws {ConfigError}
 *
 * @example Usage
 * ```ts
 * import { parseConfig } from "./parse.ts";
 * import { requireKeysOffLoopback } from "./bind_check.ts";
 *
 * requireKeysOffLoopback(parseConfig({}), "127.0.0.1");
 * requireKeysOffLoopback(parseConfig({ settings: { OPEN_ACCESS: "on" } }), "0.0.0.0");
 * ```
 */
export function requireKeysOffLoopback(config: Config, host?: string): void {
  if (config.gatewayApiKeys !== undefined || config.openAccess === "on") return;
  if (host === undefined ? !hasConfiguredUpstream(config) : isLoopback(host)) return;
  const where = host === undefined ? "where the runtime chooses" : `on ${quote(host)}`;
  throw new ConfigError([
    `Cannot listen ${where} without keys: whoever reaches it could use it; GATEWAY_API_KEYS sets keys, OPEN_ACCESS=on does without`,
  ]);
}

/** Whether whoever comes could spend what is the owner's, or reach what the owner alone should. */
function hasConfiguredUpstream({ openrouterApiKey, upstreams }: Config): boolean {
  return openrouterApiKey !== undefined || upstreams.size > 0;
}
