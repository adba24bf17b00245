import * as v from "valibot";
import { StartBody, StopBody } from "../mcp_admin/operations.ts";
import { SERVER_STATES } from "../mcp_admin/server_state.ts";
import { json, type Operation } from "./operation.ts";

const Text = v.string();
const Count = v.number();
const NullableText = v.nullable(Text);
const NullableCount = v.nullable(Count);

const STATUS = {
  name: Text,
  status: v.picklist(SERVER_STATES),
  running: v.boolean(),
  pid: NullableCount,
  started_at: NullableText,
  uptime_seconds: NullableCount,
  restart_count: Count,
  health_status: v.picklist(["unknown", "healthy", "unhealthy", "dead"]),
  last_health_check: NullableText,
  last_error: v.optional(Text),
  config: v.looseObject({ type: v.picklist(["stdio", "http"]), restart_policy: Text }),
};
const DONE = { server_name: Text, success: v.literal(true), timestamp: Text };
const Done = json("McpOperation", v.object({ ...DONE, ...STATUS }));
const Results = json(
  "McpResults",
  v.object({
    total_servers: Count,
    successful_operations: Count,
    failed_operations: Count,
    success_rate: Count,
    results: v.array(v.union([
      v.object({ ...DONE, ...STATUS }),
      v.object({ server_name: Text, success: v.literal(false), timestamp: Text, error: Text }),
    ])),
    timestamp: Text,
  }),
);
/** Source: https://www.jsonrpc.org/specification#error_object */
const RpcError = json(
  "RpcError",
  v.looseObject({ jsonrpc: v.literal("2.0"), error: v.looseObject({ code: Count, message: Text }) }),
);
const ServerConfig = v.looseObject({});

const FORCE = { force: "`true` kills its processes at once" };

/** The endpoints of the managed MCP servers, and those of the gateway's own server. */
export const MCP_OPERATIONS: Readonly<Record<string, Operation>> = {
  "GET /v1/mcp/servers": {
    summary: "Lists the names of the managed servers",
    answer: json("McpServers", v.array(Text)),
  },
  "GET /v1/mcp/servers/status": {
    summary: "Returns the state of every managed server, by name",
    answer: json("McpStatuses", v.record(Text, v.object(STATUS))),
  },
  "GET /v1/mcp/servers/{name}/status": {
    summary: "Returns the state of a server, with the last lines of its log",
    answer: json("McpStatus", v.object({ ...STATUS, log: v.array(Text) })),
  },
  "GET /v1/mcp/servers/{name}/tools": {
    summary: "Lists the tools of a server that runs",
    answer: json(
      "McpTools",
      v.object({
        server_name: Text,
        tools: v.array(v.looseObject({ name: Text, inputSchema: v.looseObject({}) })),
        rejected_tools: v.array(v.object({ name: Text, reason: Text })),
      }),
    ),
  },
  "POST /v1/mcp/servers/{name}/start": { summary: "Starts a server", answer: Done },
  "POST /v1/mcp/servers/{name}/stop": { summary: "Ends a server", query: FORCE, answer: Done },
  "POST /v1/mcp/servers/{name}/restart": {
    summary: "Ends a server if it runs, and starts it",
    query: FORCE,
    answer: Done,
  },
  "POST /v1/mcp/servers/start": {
    summary: "Starts several servers; failures are in the results",
    body: json("McpStart", StartBody),
    answer: Results,
  },
  "POST /v1/mcp/servers/stop": {
    summary: "Ends several servers; failures are in the results",
    body: json("McpStop", StopBody),
    answer: Results,
  },
  "GET /v1/mcp/health": {
    summary: "Pings the servers that run, and counts the results",
    answer: json(
      "McpHealth",
      v.object({
        total_servers: Count,
        running_servers: Count,
        healthy_servers: Count,
        unhealthy_servers: Count,
        overall_health: v.picklist(["healthy", "degraded", "unhealthy"]),
        results: v.array(v.object({
          server_name: Text,
          status: STATUS.status,
          health_status: STATUS.health_status,
          last_health_check: NullableText,
          last_error: v.optional(Text),
        })),
        timestamp: Text,
      }),
    ),
  },
  "GET /v1/mcp/config": {
    summary: "Returns the configuration of every server, without secrets",
    answer: json(
      "McpConfigs",
      v.object({ total_servers: Count, configurations: v.record(Text, ServerConfig) }),
    ),
  },
  "GET /v1/mcp/config/{name}": {
    summary: "Returns the configuration of a server, without secrets",
    answer: json("McpConfig", v.object({ server_name: Text, config: ServerConfig })),
  },
  "POST /mcp": {
    summary: "Serves the gateway's tools by the Model Context Protocol, in JSON-RPC",
    headers: {
      "mcp-protocol-version": "version of the protocol",
      "mcp-session-id": "session, in versions that have sessions",
    },
    body: json("RpcRequest", v.looseObject({ jsonrpc: v.literal("2.0"), method: Text })),
    answer: json("RpcAnswer", v.looseObject({ jsonrpc: v.literal("2.0") })),
    orElse: { media: "text/event-stream", when: "the client accepts it, for calls of tools" },
    failure: RpcError,
  },
  "GET /mcp": {
    summary: "Refuses a stream: the server sends only answers",
    answer: RpcError,
    status: 405,
    failure: RpcError,
  },
  "DELETE /mcp": {
    summary: "Ends a session, and cancels its calls",
    headers: { "mcp-session-id": "the session" },
    answer: undefined,
    failure: RpcError,
  },
};
