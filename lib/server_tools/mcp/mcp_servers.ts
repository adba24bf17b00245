import type { MessagesRequest, TypedTool } from "../../anthropic/schema.ts";
import { ApiError } from "../../base/errors.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import { LISTING, WORKSPACE } from "../../dialects/anthropic/gateway_tools.ts";

/** An MCP server whose tools the gateway offers to the model. */
export interface McpServerUse {
  name: string;
  /** URL and token of the request; undefined for a server that the operator manages. */
  remote: RemoteServer | undefined;
  /** Toolset that selects the server's tools. */
  toolset: TypedTool;
  /** Path of the toolset in the request, or of the server if the request has no toolset for it. */
  path: string;
  /** Selection of tools beside the server's URL, in the form of the beta of 2025-04-04. */
  configuration: JsonObject | undefined;
  /**
   * List of tools in the request, with which a server by URL is not asked for its tools. Those of a managed server are
   * always the ones that it has.
   */
  listed: unknown;
}

/** An MCP server as `mcp_servers` names it. */
export interface RemoteServer {
  name: string;
  url: string;
  token: string | undefined;
  /** Path of the server in the request. */
  path: string;
}

/** Options of {@linkcode findMcpServers}. */
export interface FindServersOptions {
  /** True if the operator manages a server of this name. */
  isManaged(name: string): boolean;
  /** True if the upstream itself connects to the servers in `mcp_servers`. */
  upstreamConnects: boolean;
  /** Value of the header `anthropic-beta`. */
  betas: string | undefined;
}

/** Maximum number of MCP servers in a request. */
const MAX_SERVERS = 20;
const MAX_NAME_CHARS = 128;
/** Betas in which a toolset selects the tools of each server. */
const TOOLSET_BETA = /mcp-client-(?!2025-04-04)\d{4}/;

/**
 * Returns the MCP servers of a request that the gateway connects to.
 *
 * Without a toolset, all tools of a server are offered, or those of its `tool_configuration`, as in the first beta of
 * Anthropic's connector. A newer beta requires a toolset for each server.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/mcp-connector
 *
 * @throws {ApiError} `invalid_request_error` if a server or a toolset is not valid.
 */
export function findMcpServers(
  request: MessagesRequest,
  { isManaged, upstreamConnects, betas }: FindServersOptions,
): McpServerUse[] {
  const servers = upstreamConnects ? undefined : parseServers(request.mcp_servers);
  const declaredNames = new Set(namesOf(request.mcp_servers));
  const uses = new Map<string, McpServerUse>();
  for (const [at, toolset] of (request.tools ?? []).entries()) {
    const name = toolset.mcp_server_name;
    if (toolset.type !== "mcp_toolset" || (name === WORKSPACE && !declaredNames.has(WORKSPACE))) continue;
    const path = `tools.${at}`;
    if (typeof name !== "string") {
      if (upstreamConnects) continue;
      throw invalid(`${path}.mcp_toolset.mcp_server_name: Field required`);
    }
    const isDeclared = declaredNames.has(name);
    if (upstreamConnects && (isDeclared || !isManaged(name))) continue;
    const server = servers?.get(name);
    if (server === undefined && !isManaged(name)) {
      throw invalid(`${path}: mcp_toolset references server "${name}" which is not defined in mcp_servers`);
    }
    if (uses.has(name)) throw invalid(`${path}: duplicate mcp_toolset for server "${name}"`);
    if (!isListOrUnset(toolset.tools)) {
      throw invalid(`${path}.mcp_toolset.tools: Input should be a valid list`);
    }
    const listed = toolset.tools ?? findListing(request, name);
    const configuration = server?.configuration;
    uses.set(name, { name, remote: server?.remote, toolset: asTyped(toolset), path, configuration, listed });
  }
  for (const [name, { remote, configuration }] of servers ?? []) {
    if (uses.has(name)) continue;
    if (TOOLSET_BETA.test(betas ?? "")) {
      throw invalid(`mcp_servers: [${name}] declared but no mcp_toolset in tools references them`);
    }
    const toolset = { type: "mcp_toolset", mcp_server_name: name };
    uses.set(name, {
      name,
      remote,
      toolset,
      path: remote.path,
      configuration,
      listed: findListing(request, name),
    });
  }
  return [...uses.values()];
}

/** True if a request may use MCP servers: few do. */
export function mayUseMcp({ tools, mcp_servers }: MessagesRequest): boolean {
  return mcp_servers !== undefined || (tools?.some(({ type }) => type === "mcp_toolset") ?? false);
}

/** True if a request names an MCP server that is neither in `mcp_servers` nor the gateway's own. */
export function namesManagedServer({ tools, mcp_servers }: MessagesRequest): boolean {
  const declaredNames = new Set<unknown>([...namesOf(mcp_servers), WORKSPACE]);
  return tools?.some(({ type, mcp_server_name: name }) =>
    type === "mcp_toolset" && !declaredNames.has(name)
  ) ??
    false;
}

interface DeclaredServer {
  remote: RemoteServer;
  configuration: JsonObject | undefined;
}

function parseServers(servers: unknown): Map<string, DeclaredServer> {
  const parsed = new Map<string, DeclaredServer>();
  if (servers === undefined || servers === null) return parsed;
  if (!Array.isArray(servers)) throw invalid("mcp_servers: Input should be a valid list");
  if (servers.length > MAX_SERVERS) {
    throw invalid(`mcp_servers: List should have at most ${MAX_SERVERS} items, not ${servers.length}`);
  }
  servers.forEach((server, at) => {
    const path = `mcp_servers.${at}`;
    const declared = parseServer(server, path);
    const { name } = declared.remote;
    if (parsed.has(name)) throw invalid(`${path}.name: MCP server names must be unique`);
    parsed.set(name, declared);
  });
  return parsed;
}

function parseServer(server: unknown, path: string): DeclaredServer {
  if (!isObject(server)) throw invalid(`${path}: Input should be an object`);
  const { type, name, url, authorization_token: token, tool_configuration: configuration } = server;
  if (type !== "url") throw invalid(`${path}.type: Input should be 'url'`);
  for (const [field, value] of Object.entries({ name, url })) {
    if (value === undefined) throw invalid(`${path}.${field}: Field required`);
    if (typeof value !== "string") throw invalid(`${path}.${field}: Input should be a valid string`);
  }
  if (typeof name !== "string" || name === "" || name.length > MAX_NAME_CHARS) {
    throw invalid(`${path}.name: String should have 1 to ${MAX_NAME_CHARS} characters`);
  }
  if (
    token !== undefined && token !== null && (typeof token !== "string" || !/^[\x21-\x7e ]+$/.test(token))
  ) {
    throw invalid(`${path}.authorization_token: Input should be a string of printable characters`);
  }
  return {
    remote: { name, url: String(url), token: typeof token === "string" ? token : undefined, path },
    configuration: isObject(configuration) ? configuration : undefined,
  };
}

function namesOf(servers: unknown): string[] {
  if (!Array.isArray(servers)) return [];
  return servers.flatMap((server) =>
    isObject(server) && typeof server.name === "string" ? [server.name] : []
  );
}

/** Returns the tools of the last `mcp_tool_listing` block of a server. */
function findListing({ messages }: MessagesRequest, name: string): unknown {
  const blocks = messages.flatMap(({ role, content }): JsonObject[] =>
    role === "assistant" && typeof content !== "string" ? content : []
  );
  return blocks.findLast(({ type, mcp_server_name: server, tools }) =>
    type === LISTING && server === name && Array.isArray(tools)
  )?.tools;
}

function isListOrUnset(value: unknown): boolean {
  return value === undefined || value === null || Array.isArray(value);
}

function asTyped(tool: JsonObject & { type?: unknown }): TypedTool {
  return { ...tool, type: "mcp_toolset", name: undefined };
}

function invalid(message: string): ApiError {
  return new ApiError("invalid_request_error", message);
}
