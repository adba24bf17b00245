import { credentialsOf } from "../base/redact_secrets.ts";
import type { McpServer } from "./mcp_config.ts";
import type { Config } from "./settings.ts";

/**
 * Returns the secrets that the gateway itself sends to others: keys, headers and passwords of the settings, and those of
 * the MCP servers that it manages.
 */
export function listSecrets(
  { openrouterApiKey, upstreams, webSearchKey, rateLimitStore }: Pick<
    Config,
    "openrouterApiKey" | "upstreams" | "webSearchKey" | "rateLimitStore"
  >,
  mcpServers: readonly Pick<McpServer, "secrets">[] = [],
): string[] {
  const headers = [...upstreams.values()].flatMap(({ headers }) => Object.values(headers ?? {}));
  const found = [
    openrouterApiKey,
    webSearchKey,
    URL.canParse(rateLimitStore) ? decodeURIComponent(new URL(rateLimitStore).password) : undefined,
    ...[...upstreams.values()].map(({ key }) => key),
    ...headers,
    ...headers.map(credentialsOf),
    ...mcpServers.flatMap(({ secrets }) => secrets),
  ];
  return found.filter((secret) => secret !== undefined);
}
