import { answerCountTokens } from "./count_tokens.ts";
import type { GatewayContext } from "./context.ts";
import type { OperatorAccess } from "../access/operator.ts";
import {
  answerError,
  answerErrorCleanup,
  answerErrorStats,
  answerRecentErrors,
} from "./operator/debug_errors.ts";
import { answerDetailedHealth } from "./operator/detailed_health.ts";
import { answerHealth, answerHello, answerRoot, answerStatus } from "./operator/health.ts";
import { answerMessages } from "./messages.ts";
import { answerMcp, answerMcpDelete, answerMcpGet } from "./mcp_server/endpoint.ts";
import { answerModel, answerModels } from "./models.ts";
import type { RequestLog } from "./request_log.ts";
import { answerMetrics } from "./operator/metrics.ts";
import { answerSession } from "./operator/session.ts";
import { answerToolMetrics } from "./operator/tool_metrics.ts";

/** A request at its route. */
export interface RoutedCall {
  request: Request;
  gateway: GatewayContext;
  requestLog: RequestLog;
  /** Decoded values of the parameters in the route's path. */
  params: Readonly<Record<string, string>>;
}

/** An endpoint, and who may call it. */
export interface EndpointRoute {
  /** `GET` includes `HEAD`. */
  method: "GET" | "POST" | "DELETE";
  /** Path in Hono's syntax. */
  path: string;
  /** For endpoints of the operator: who may call them. The others may be called with any key. */
  access?: OperatorAccess;
  /** Methods that need no key. Every other call needs one if client keys are configured. */
  open?: readonly ("GET" | "HEAD")[];
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
  {
    method: "GET",
    path: "/v1/sessions/:id",
    answer: ({ request, gateway, requestLog, params: { id = "" } }) =>
      answerSession(request, gateway, { requestLog, id }),
  },
];

/** Endpoints of the operator. */
const OPERATOR_ROUTES: readonly EndpointRoute[] = [
  { method: "GET", path: "/metrics", access: "admin", answer: ({ gateway }) => answerMetrics(gateway) },
  {
    method: "GET",
    path: "/debug/errors/recent",
    access: "debug",
    answer: ({ request, gateway }) => answerRecentErrors(request, gateway),
  },
  {
    method: "GET",
    path: "/debug/errors/stats",
    access: "debug",
    answer: ({ gateway }) => answerErrorStats(gateway),
  },
  {
    method: "GET",
    path: "/debug/errors/:id",
    access: "debug",
    answer: ({ gateway, params: { id = "" } }) => answerError(gateway, id),
  },
  {
    method: "POST",
    path: "/debug/errors/cleanup",
    access: "debug",
    answer: ({ request, gateway }) => answerErrorCleanup(request, gateway),
  },
];

/**
 * All endpoints of the gateway, by their canonical paths ({@linkcode toCanonicalPath}). A request that no entry matches needs a key, too.
 *
 * Open are the health check, and Claude Code's probes of its base URL.
 */
export const ROUTES: readonly EndpointRoute[] = [
  ...API_ROUTES,
  ...OPERATOR_ROUTES,
  { method: "GET", path: "/", open: ["HEAD"], answer: () => answerRoot() },
  {
    method: "GET",
    path: "/health",
    open: ["GET", "HEAD"],
    answer: ({ gateway }) => answerHealth(gateway),
  },
  { method: "GET", path: "/health/detailed", answer: ({ gateway }) => answerDetailedHealth(gateway) },
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
