import type { ServerStatus } from "../../../tools/mcp/managed/managed_servers.ts";
import { ApiError } from "../../base/errors.ts";
import type { JsonObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import type { McpServer } from "../../config/mcp/mcp_config.ts";
import type { GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { toServerState } from "./server_state.ts";

/** Answers `GET /v1/mcp/servers` with the names of all managed servers. */
export function answerServers({ gateway: { mcpServers } }: RoutedCall): Response {
  return Response.json(mcpServers.map(({ config: { name } }) => name));
}

/** Answers `GET /v1/mcp/servers/status` with the state of every server, by name. */
export async function answerStatuses({ gateway }: RoutedCall): Promise<Response> {
  const statuses = await Promise.all(
    gateway.mcpServers.map(({ config: { name } }) => readStatus(gateway, name)),
  );
  return Response.json(Object.fromEntries(statuses.map((status) => [status.name, status])));
}

/**
 * Answers `GET /v1/mcp/servers/{name}/status` with the state of a server, and its last log lines.
 *
 * @throws {ApiError} `not_found_error` if there is no such server.
 */
export async function answerServerStatus({ gateway, params: { name = "" } }: RoutedCall): Promise<Response> {
  const status = await readStatus(gateway, name);
  const control = await gateway.loadManagedServers?.();
  return Response.json({ ...status, log: control?.status(name)?.log ?? [] });
}

/**
 * Answers `GET /v1/mcp/servers/{name}/tools` with the tools of a running server, as a message would offer them.
 *
 * @throws {ApiError} `not_found_error` if there is no such server; `conflict_error` if it does not run; `api_error`
 * with status 502 if it does not answer.
 */
export async function answerServerTools(
  { request, gateway, params: { name = "" } }: RoutedCall,
): Promise<Response> {
  const { clock, config } = gateway;
  const status = await readStatus(gateway, name);
  if (!status.running) {
    throw new ApiError(
      "conflict_error",
      `Cannot list the tools of MCP server ${quote(name)}: it is ${status.status}`,
    );
  }
  const control = await gateway.loadManagedServers?.();
  const timeout = new AbortController();
  const message = `Cannot list the tools of MCP server ${
    quote(name)
  }: it took longer than ${config.toolTimeout} s`;
  const cancel = clock.after(
    config.toolTimeout * 1000,
    () => timeout.abort(new ApiError("api_error", message, { status: 502 })),
  );
  try {
    const list = await control?.tools(name, AbortSignal.any([request.signal, timeout.signal]));
    return Response.json({
      server_name: name,
      tools: list?.tools.map(({ name: tool, description, inputSchema, annotations }) => ({
        name: tool,
        description,
        inputSchema,
        annotations,
      })),
      rejected_tools: list?.rejected,
    });
  } catch (error) {
    throw toServerError(error);
  } finally {
    cancel();
  }
}

/** Answers `GET /v1/mcp/health`: pings all running servers, and counts the results. */
export async function answerMcpHealth({ gateway }: RoutedCall): Promise<Response> {
  await (await gateway.loadManagedServers?.())?.checkHealth();
  const statuses = await Promise.all(
    gateway.mcpServers.map(({ config: { name } }) => readStatus(gateway, name)),
  );
  const running = statuses.filter((status) => status.running);
  const healthy = running.filter(({ health_status }) => health_status === "healthy");
  const unhealthy = statuses.filter(({ health_status }) =>
    health_status === "unhealthy" || health_status === "dead"
  );
  return Response.json({
    total_servers: statuses.length,
    running_servers: running.length,
    healthy_servers: healthy.length,
    unhealthy_servers: unhealthy.length,
    overall_health: unhealthy.length === 0 ? "healthy" : healthy.length === 0 ? "unhealthy" : "degraded",
    results: statuses.map(({ name, status, health_status, last_health_check, last_error }) => ({
      server_name: name,
      status,
      health_status,
      last_health_check,
      ...(last_error !== undefined && { last_error }),
    })),
    timestamp: toIsoTime(gateway.clock.now()),
  });
}

/** Answers `GET /v1/mcp/config` with the configuration of every server, without secrets. */
export function answerMcpConfig({ gateway: { mcpServers } }: RoutedCall): Response {
  return Response.json({
    total_servers: mcpServers.length,
    configurations: Object.fromEntries(mcpServers.map(({ config: { name }, shown }) => [name, shown])),
  });
}

/**
 * Answers `GET /v1/mcp/config/{name}` with the configuration of a server, without secrets.
 *
 * @throws {ApiError} `not_found_error` if there is no such server.
 */
export function answerServerConfig({ gateway, params: { name = "" } }: RoutedCall): Response {
  return Response.json({ server_name: name, config: findServer(gateway, name).shown });
}

/** What the endpoints read of the gateway. */
export type ServersContext = Pick<GatewayContext, "mcpServers" | "loadManagedServers" | "clock">;

/** State of a server, in the form of the endpoints. */
export interface StatusBody {
  name: string;
  status: string;
  running: boolean;
  pid: number | null;
  started_at: string | null;
  uptime_seconds: number | null;
  restart_count: number;
  health_status: string;
  last_health_check: string | null;
  /** Reason why it has ended or could not be started. */
  last_error?: string;
  config: JsonObject;
}

/**
 * Reads the state of a server.
 *
 * @throws {ApiError} `not_found_error` if there is no such server.
 */
export async function readStatus(gateway: ServersContext, name: string): Promise<StatusBody> {
  const server = findServer(gateway, name);
  const status = (await gateway.loadManagedServers?.())?.status(name);
  return toStatusBody(server, status, gateway.clock.now());
}

function toStatusBody(
  { config, shown }: McpServer,
  status: ServerStatus | undefined,
  now: number,
): StatusBody {
  const state = status?.state ?? { name: "stopped" };
  const since = state.name === "running" ? state.since : undefined;
  return {
    name: config.name,
    status: toServerState(status),
    running: state.name === "running",
    pid: status?.pid ?? null,
    started_at: since === undefined ? null : toIsoTime(since),
    uptime_seconds: since === undefined ? null : Math.floor((now - since) / 1000),
    restart_count: status?.restarts ?? 0,
    health_status: status?.health ?? "unknown",
    last_health_check: status?.lastHealthCheck === undefined ? null : toIsoTime(status.lastHealthCheck),
    ...("reason" in state && { last_error: state.reason }),
    config: {
      type: config.type,
      ...(config.type === "stdio" ? { command: shown.command } : { url: shown.url }),
      restart_policy: config.restartPolicy,
    },
  };
}

/** Returns the error for the client of a failure of a server. */
export function toServerError(error: unknown): unknown {
  return error instanceof Error && error.name === "McpError"
    ? new ApiError("api_error", error.message, { status: 502, cause: error.cause, retryable: false })
    : error;
}

function findServer({ mcpServers }: ServersContext, name: string): McpServer {
  const server = mcpServers.find(({ config }) => config.name === name);
  if (server !== undefined) return server;
  throw new ApiError(
    "not_found_error",
    `Cannot find MCP server ${quote(name)}: MCP_CONFIG has none of this name`,
  );
}

/** Converts a time in milliseconds to ISO 8601. */
export function toIsoTime(ms: number): string {
  return new Date(ms).toISOString();
}
