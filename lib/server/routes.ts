import {
  answerBatch,
  answerResults,
  cancelBatch,
  deleteBatch,
  listBatches,
} from "./batches/answer_batches.ts";
import { createBatch } from "./batches/create_batch.ts";
import { RUN_PATH } from "../durable/restate.ts";
import { answerEngine } from "./jobs/answer_engine.ts";
import { answerCountTokens } from "./count_tokens.ts";
import { answerContent, answerFile, deleteFile, listFiles } from "./files/answer_files.ts";
import { uploadFile } from "./files/upload_file.ts";
import type { OperatorAccess } from "../access/operator.ts";
import {
  answerError,
  answerErrorCleanup,
  answerErrorStats,
  answerRecentErrors,
} from "./operator/debug_errors.ts";
import { answerDetailedHealth } from "./operator/detailed_health.ts";
import { answerHealth, answerHello, answerRoot, answerStatus } from "./operator/health.ts";
import { listKeys, makeKey, revokeKey } from "./keys/answer_keys.ts";
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
import { answerDocument } from "./openapi/answer_document.ts";
import { toRouteName } from "./route_name.ts";
import type { RoutedCall } from "./routed_call.ts";
import { answerManagedSettings } from "./sign_in/managed_settings.ts";
import { answerDeviceAuthorization, answerMetadata, answerRevocation, answerToken } from "./sign_in/oauth.ts";
import { answerPage, answerPageForm } from "./sign_in/page.ts";
import { answerTelemetry } from "./sign_in/telemetry.ts";
import type { RouteBody } from "../access/content_type.ts";
import { answerMetrics } from "./operator/metrics.ts";
import { answerSession } from "./operator/session.ts";
import { answerToolMetrics } from "./operator/tool_metrics.ts";

/** An endpoint, and who may call it. */
export interface EndpointRoute {
  /** `GET` includes `HEAD`. */
  method: "GET" | "POST" | "DELETE";
  /** Path in Hono's syntax. */
  path: string;
  /** Body of a `POST`, if it is not JSON. */
  body?: RouteBody | undefined;
  /**
   * For endpoints of the operator: who may call them. The others may be called with any key. The endpoints of the
   * operator's page (`page`) check their callers and forms themselves.
   */
  access?: OperatorAccess | "page";
  /** Methods that need no key. Every other call needs one if client keys are configured. */
  open?: readonly ("GET" | "HEAD" | "POST")[];
  /** True if keys of the store are those known last while it cannot be reached. Such a route serves no message. */
  stale?: boolean;
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
    body: "none",
    access: "debug",
    answer: ({ request, gateway }) => answerErrorCleanup(request, gateway),
  },
];

/** Endpoints of the keys. */
const KEY_ROUTES: readonly EndpointRoute[] = ([
  { method: "GET", path: "/v1/gateway/keys", answer: listKeys },
  { method: "POST", path: "/v1/gateway/keys", answer: makeKey },
  { method: "DELETE", path: "/v1/gateway/keys/:name", answer: revokeKey },
] as const).map((route) => ({ ...route, access: "admin_key" }));

/** Endpoints of the managed MCP servers: all need the admin key. */
const MCP_ROUTES: readonly EndpointRoute[] = ([
  { method: "GET", path: "/v1/mcp/servers", answer: answerServers },
  { method: "GET", path: "/v1/mcp/servers/status", answer: answerStatuses },
  { method: "GET", path: "/v1/mcp/servers/:name/status", answer: answerServerStatus },
  { method: "GET", path: "/v1/mcp/servers/:name/tools", answer: answerServerTools },
  { method: "POST", path: "/v1/mcp/servers/:name/start", body: "none", answer: startServer },
  { method: "POST", path: "/v1/mcp/servers/:name/stop", body: "none", answer: stopServer },
  { method: "POST", path: "/v1/mcp/servers/:name/restart", body: "none", answer: restartServer },
  { method: "POST", path: "/v1/mcp/servers/start", answer: startServers },
  { method: "POST", path: "/v1/mcp/servers/stop", answer: stopServers },
  { method: "GET", path: "/v1/mcp/health", answer: answerMcpHealth },
  { method: "GET", path: "/v1/mcp/config", answer: answerMcpConfig },
  { method: "GET", path: "/v1/mcp/config/:name", answer: answerServerConfig },
] as const).map((route) => ({ ...route, access: "admin_key" }));

/** Endpoints by which Claude Code signs in, and what it asks for afterwards. */
const SIGN_IN_ROUTES: readonly EndpointRoute[] = [
  {
    method: "GET",
    path: "/.well-known/oauth-authorization-server",
    open: ["GET", "HEAD"],
    answer: answerMetadata,
  },
  ...([
    ["/oauth/device_authorization", answerDeviceAuthorization],
    ["/oauth/token", answerToken],
    ["/oauth/revoke", answerRevocation],
    ["/oauth/device", answerPageForm],
  ] as const).map(([path, answer]) =>
    ({ method: "POST", path, body: "fields", open: ["POST"], answer }) as const
  ),
  { method: "GET", path: "/oauth/device", open: ["GET", "HEAD"], answer: answerPage },
  { method: "GET", path: "/managed/settings", stale: true, answer: answerManagedSettings },
  ...["/v1/metrics", "/v1/logs", "/v1/traces"].map((path) =>
    ({ method: "POST", path, body: "any", stale: true, answer: answerTelemetry }) as const
  ),
];

const BATCH = "/v1/messages/batches/:id{[^/]+}";

/** The endpoints of message batches. */
const BATCH_ROUTES: readonly EndpointRoute[] = [
  { method: "POST", path: "/v1/messages/batches", answer: (call) => createBatch(call) },
  { method: "GET", path: "/v1/messages/batches", answer: (call) => listBatches(call) },
  { method: "GET", path: BATCH, answer: (call) => answerBatch(call, call.params.id ?? "") },
  { method: "DELETE", path: BATCH, answer: (call) => deleteBatch(call, call.params.id ?? "") },
  {
    method: "POST",
    path: `${BATCH}/cancel`,
    body: "none",
    answer: (call) => cancelBatch(call, call.params.id ?? ""),
  },
  { method: "GET", path: `${BATCH}/results`, answer: (call) => answerResults(call, call.params.id ?? "") },
];

const FILE = "/v1/files/:id{[^/]+}";

/** The endpoints of files. */
const FILE_ROUTES: readonly EndpointRoute[] = [
  { method: "POST", path: "/v1/files", body: "form", answer: (call) => uploadFile(call) },
  { method: "GET", path: "/v1/files", answer: (call) => listFiles(call) },
  { method: "GET", path: FILE, answer: (call) => answerFile(call, call.params.id ?? "") },
  { method: "DELETE", path: FILE, answer: (call) => deleteFile(call, call.params.id ?? "") },
  { method: "GET", path: `${FILE}/content`, answer: (call) => answerContent(call, call.params.id ?? "") },
];

/** The endpoints of the durable engine. They need no key: the engine signs its requests. */
const ENGINE_ROUTES: readonly EndpointRoute[] = [
  { method: "GET", path: "/restate/discover", open: ["GET"], answer: (call) => answerEngine(call) },
  { method: "POST", path: RUN_PATH, open: ["POST"], body: "any", answer: (call) => answerEngine(call) },
];

/**
 * All endpoints of the gateway, by their canonical paths ({@linkcode toCanonicalPath}). A request that no entry matches needs a key, too.
 *
 * Open are the health check, Claude Code's probes of its base URL and its sign-in, and the signed requests of the durable
 * engine.
 */
export const ROUTES: readonly EndpointRoute[] = [
  ...API_ROUTES,
  ...OPERATOR_ROUTES,
  ...KEY_ROUTES,
  ...MCP_ROUTES,
  ...BATCH_ROUTES,
  ...FILE_ROUTES,
  ...ENGINE_ROUTES,
  ...SIGN_IN_ROUTES,
  { method: "GET", path: "/", open: ["HEAD"], answer: () => answerRoot(ROUTES.map(toRouteName)) },
  { method: "GET", path: "/openapi.json", answer: () => answerDocument(ROUTES) },
  {
    method: "GET",
    path: "/health",
    open: ["GET", "HEAD"],
    answer: ({ gateway }) => answerHealth(gateway),
  },
  {
    method: "GET",
    path: "/health/detailed",
    answer: ({ gateway, requestLog }) => answerDetailedHealth(gateway, requestLog.caller),
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
