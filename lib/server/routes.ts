import { answerCountTokens } from "./count_tokens.ts";
import { answerHealth, answerHello, answerRoot, answerStatus } from "./health.ts";
import { answerMessages } from "./messages.ts";
import { answerMcp, answerMcpDelete, answerMcpGet } from "./mcp_server/endpoint.ts";
import { answerModel, answerModels } from "./models.ts";
import {
  answerMcpConfig,
  answerMcpHealth,
  answerServerConfig,
  answerServers,
  answerServerStatus,
  answerServerTools,
  answerStatuses,
} from "./mcp_admin/status.ts";
import { restartServer, startServer, startServers, stopServer, stopServers } from "./mcp_admin/operations.ts";
import type { RoutedCall } from "./routed_call.ts";
import { answerToolMetrics } from "./tool_metrics.ts";

/** An endpoint, and who may call it. */
export interface EndpointRoute {
  /** `GET` includes `HEAD`. */
  method: "GET" | "POST" | "DELETE";
  /** Path in Hono's syntax. */
  path: string;
  /** Methods that need no key. Every other call needs one if client keys are configured. */
  open?: readonly ("GET" | "HEAD")[];
  /** True if every call needs the admin key. */
  admin?: true;
  /** True if the body is not read, so that it needs no content type. */
  ignoresBody?: true;
  answer(call: RoutedCall): Response | Promise<Response>;
}

const API_ROUTES: readonly EndpointRoute[] = [
  { method: "POST", path: "/v1/messages", answer: (call) => answerMessages(call) },
  { method: "POST", path: "/v1/messages/stream", answer: (call) => answerMessages(call, { stream: true }) },
  {
    method: "POST",
    path: "/v1/messages/count_tokens",
    answer: ({ request, gateway, requestLog }) => answerCountTokens(request, gateway, requestLog),
  },
  {
    method: "GET",
    path: "/v1/models",
    answer: ({ request, gateway, requestLog }) => answerModels(request, gateway, requestLog),
  },
  {
    method: "GET",
    path: "/v1/models/:id{.+}",
    answer: ({ request, gateway, requestLog: { caller }, params: { id = "" } }) =>
      answerModel(request, gateway, { caller, id }),
  },
];

/** Endpoints of the managed MCP servers: all need the admin key. */
const MCP_ROUTES: readonly EndpointRoute[] = ([
  { method: "GET", path: "/v1/mcp/servers", answer: answerServers },
  { method: "GET", path: "/v1/mcp/servers/status", answer: answerStatuses },
  { method: "GET", path: "/v1/mcp/servers/:name/status", answer: answerServerStatus },
  { method: "GET", path: "/v1/mcp/servers/:name/tools", answer: answerServerTools },
  { method: "POST", path: "/v1/mcp/servers/:name/start", ignoresBody: true, answer: startServer },
  { method: "POST", path: "/v1/mcp/servers/:name/stop", ignoresBody: true, answer: stopServer },
  { method: "POST", path: "/v1/mcp/servers/:name/restart", ignoresBody: true, answer: restartServer },
  { method: "POST", path: "/v1/mcp/servers/start", answer: startServers },
  { method: "POST", path: "/v1/mcp/servers/stop", answer: stopServers },
  { method: "GET", path: "/v1/mcp/health", answer: answerMcpHealth },
  { method: "GET", path: "/v1/mcp/config", answer: answerMcpConfig },
  { method: "GET", path: "/v1/mcp/config/:name", answer: answerServerConfig },
] as const).map((route) => ({ ...route, admin: true }));

/**
 * All endpoints of the gateway, by their canonical paths ({@linkcode toCanonicalPath}). A request that no entry matches needs a key, too.
 *
 * Open are the health check, and Claude Code's probes of its base URL.
 */
export const ROUTES: readonly EndpointRoute[] = [
  ...API_ROUTES,
  ...MCP_ROUTES,
  { method: "GET", path: "/", open: ["HEAD"], answer: () => answerRoot() },
  {
    method: "GET",
    path: "/health",
    open: ["GET", "HEAD"],
    answer: ({ gateway }) => answerHealth(gateway),
  },
  { method: "GET", path: "/api/hello", open: ["HEAD"], answer: () => answerHello() },
  {
    method: "GET",
    path: "/status",
    answer: ({ gateway, requestLog }) => answerStatus(gateway, requestLog.caller),
  },
  { method: "POST", path: "/mcp", answer: (call) => answerMcp(call) },
  { method: "GET", path: "/mcp", answer: (call) => answerMcpGet(call) },
  { method: "DELETE", path: "/mcp", answer: (call) => answerMcpDelete(call) },
  { method: "GET", path: "/tool-metrics", answer: ({ gateway }) => answerToolMetrics(gateway) },
];
