import { credentialsOf } from "../base/redact_secrets.ts";
import type { McpServer } from "./mcp/mcp_config.ts";
import type { Config } from "./settings.ts";

/**
 * Returns the secrets that the gateway itself sends to others: keys and passwords of the settings, headers of upstreams
 * and of managed MCP servers.
 */
export function listSecrets(
  { openrouterApiKey, upstreams, webSearchKey, rateLimitStore, dataUrl }: Pick<
    Config,
    "openrouterApiKey" | "upstreams" | "webSearchKey" | "rateLimitStore" | "dataUrl"
  >,
  mcpServers: readonly Pick<McpServer, "config">[],
): string[] {
  const headers = [
    ...[...upstreams.values()].flatMap(({ headers }) => Object.values(headers ?? {})),
    ...mcpServers.flatMap(({ config }) => config.type === "http" ? Object.values(config.headers) : []),
  ];
  const found = [
    openrouterApiKey,
    webSearchKey,
    ...[rateLimitStore, dataUrl].map(passwordOf),
    // For servers without keys, such as Ollama, any text is used as one, often their name, which is no secret.
    ...[...upstreams].filter(([name, { key }]) => key !== name).map(([, { key }]) => key),
    ...headers,
    ...headers.map(credentialsOf),
  ];
  return found.filter((secret) => secret !== undefined);
}

function passwordOf(url: string | undefined): string | undefined {
  return url !== undefined && URL.canParse(url) ? decodeURIComponent(new URL(url).password) : undefined;
}
