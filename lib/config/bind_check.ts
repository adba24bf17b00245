import { requiresKeys } from "./gateway_keys.ts";
import { ConfigError } from "./parse.ts";
import type { Config } from "./settings.ts";
import { isLoopback } from "../base/host_name.ts";
import { quote } from "../base/redact.ts";

/**
 * Requires client keys unless the gateway listens on a loopback address or `OPEN_ACCESS` is on.
 *
 * `host` is undefined if the runtime chooses the address. Keys are then required only if an upstream, its key or
 * MCP servers are configured: without these, a client can spend nothing but its own key's credit.
 *
 * @throws {ConfigError} if keys are required and none is set.
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
  if (requiresKeys(config) || config.openAccess === "on") return;
  if (host === undefined ? !givesAccess(config) : isLoopback(host)) return;
  const where = host === undefined ? "on an address that the runtime chooses" : `on ${quote(host)}`;
  throw new ConfigError([
    `Cannot listen ${where} without keys: any client that reaches it could use it; set GATEWAY_API_KEYS, or OPEN_ACCESS=on to allow this`,
  ]);
}

/** True if clients could spend the operator's credit, or reach the operator's upstreams or MCP servers. */
function givesAccess({ openrouterApiKey, upstreams, mcpConfig }: Config): boolean {
  return openrouterApiKey !== undefined || upstreams.size > 0 || mcpConfig !== undefined;
}
