import type { ServerConfig } from "../../../tools/mcp/managed/server_config.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import { EntryReader, type ParsedEntry } from "./entries.ts";
import { ConfigError } from "../parse.ts";

/** A server of the file that `MCP_CONFIG` names. */
export interface McpServer {
  config: ServerConfig;
  /** The configuration as the operator may see it, without secrets. Variables are not expanded. */
  shown: JsonObject;
  /** Values that must not appear in logs and errors. */
  secrets: readonly string[];
  /** Fields that the gateway does not know, and ignores. */
  unknownFields: readonly string[];
}

/** Reads what the file refers to. */
export interface McpConfigSources {
  /** @throws {Error} if the file cannot be read; the message is the reason, such as `no such file`. */
  readText(path: string): string;
  /** Returns a variable of the environment; undefined if it is not set or may not be read. */
  readVariable(name: string): string | undefined;
}

/** Name of the built-in tools as an MCP server. */
const RESERVED = "workspace";

/**
 * Reads the servers of an `.mcp.json`, in the form that Claude Code and other clients use: `mcpServers` by name.
 * Servers with `disabled` are left out.
 *
 * @throws {ConfigError} with every mistake, each with its place in the file. A mistake holds no value of the file.
 *
 * @example Usage
 * ```ts
 * import { readMcpConfig } from "./mcp_config.ts";
 *
 * const text = '{"mcpServers": {"files": {"command": "${COMMAND:-npx}"}}}';
 * const [server] = readMcpConfig(".mcp.json", { readText: () => text, readVariable: () => undefined });
 * if (server?.config.name !== "files") throw new Error("not found");
 * ```
 */
export function readMcpConfig(path: string, { readText, readVariable }: McpConfigSources): McpServer[] {
  const entries = readEntries(path, readText);
  if (typeof entries === "string") throw toConfigError(path, [entries]);
  const results = Object.entries(entries)
    .filter(([, entry]) => !(isObject(entry) && entry.disabled === true))
    .map(([name, entry]) => readServer(name, entry, readVariable));
  const mistakes = results.flatMap((result) => result.mistakes);
  if (mistakes.length > 0) throw toConfigError(path, mistakes);
  return results.flatMap(({ server }) => server ?? []);
}

function toConfigError(path: string, mistakes: readonly string[]): ConfigError {
  return new ConfigError(mistakes.map((mistake) => `Cannot use MCP_CONFIG ${quote(path)}: ${mistake}`));
}

/** Returns the entries by name, or the mistake. */
function readEntries(path: string, readText: (path: string) => string): JsonObject | string {
  let text: string;
  try {
    text = readText(path);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  let file: unknown;
  try {
    file = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch {
    return "it is not valid JSON";
  }
  const servers = isObject(file) ? file.mcpServers : undefined;
  return isObject(servers) ? servers : "mcpServers: expected an object of servers by name";
}

function readServer(
  name: string,
  entry: unknown,
  readVariable: McpConfigSources["readVariable"],
): { server?: McpServer; mistakes: readonly string[] } {
  const place = `mcpServers.${name}`;
  if (!/^[\w.-]{1,64}$/.test(name)) {
    const expected = 'expected names of 1 to 64 letters, digits, ".", "_" and "-"';
    return { mistakes: [`mcpServers: ${expected}, not ${quote(name)}`] };
  }
  if (name === RESERVED) return { mistakes: [`${place}: the name means the tools of the gateway`] };
  if (!isObject(entry)) return { mistakes: [`${place}: expected an object`] };
  const kind = toKind(entry);
  if (kind === undefined) {
    const allowed = "expected stdio, http or streamable-http";
    const why = entry.type === undefined ? ", because the server has a url" : "";
    return { mistakes: [`${place}.type: ${allowed}${why}`] };
  }
  const reader = new EntryReader(place, readVariable);
  const parsed = kind === "http" ? reader.readHttp(entry) : reader.readStdio(entry);
  if (parsed === undefined || reader.mistakes.length > 0) return { mistakes: reader.mistakes };
  return { server: toServer(name, parsed, reader.values), mistakes: [] };
}

/** Returns undefined if the kind of a server is unknown. A `url` alone may also mean the older SSE. */
function toKind({ type, url, command }: JsonObject): "stdio" | "http" | undefined {
  if (type === "http" || type === "streamable-http") return "http";
  if (type === "stdio") return "stdio";
  return type === undefined && (url === undefined || command !== undefined) ? "stdio" : undefined;
}

function toServer(
  name: string,
  { server, common, view, secrets, unknownFields }: ParsedEntry,
  values: readonly string[],
): McpServer {
  const { restart_policy, max_restarts, health_check } = common;
  return {
    config: {
      name,
      ...server,
      restartPolicy: restart_policy,
      maxRestarts: max_restarts,
      healthCheck: {
        enabled: health_check.enabled,
        intervalMs: health_check.interval * 1000,
        timeoutMs: health_check.timeout * 1000,
      },
    },
    shown: { name, ...view, restart_policy, max_restarts, health_check },
    secrets: [...secrets, ...values],
    unknownFields,
  };
}
