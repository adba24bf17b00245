import { answerCountTokens } from "./count_tokens.ts";
import type { GatewayContext } from "./context.ts";
import { answerHealth, answerHello, answerRoot, answerStatus } from "./health.ts";
import { answerMessages } from "./messages.ts";
import { answerMcp, answerMcpDelete, answerMcpGet } from "./mcp_server/endpoint.ts";
import { answerModel, answerModels } from "./models.ts";
import type { RequestLog } from "./request_log.ts";
import { answerToolMetrics } from "./tool_metrics.ts";

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
];

/**
 * All endpoints of the gateway, by their canonical paths ({@linkcode toCanonicalPath}). A request that no entry matches needs a key, too.
 *
 * Open are the health check, and Claude Code's probes of its base URL.
 */
export const ROUTES: readonly EndpointRoute[] = [
  ...API_ROUTES,
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
