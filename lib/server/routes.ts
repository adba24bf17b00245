import type { RouteBody } from "../access/content_type.ts";
import type { OperatorAccess } from "../access/operator.ts";
import { RUN_PATH } from "../durable/restate_service.ts";
import { answerMessages } from "./messages.ts";
import { answerHealth, answerHello, answerRoot, answerStatus } from "./operator/health.ts";
import { toRouteName } from "./routing/route_name.ts";
import type { RoutedCall } from "./routing/routed_call.ts";

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
  answer: AnswerCall;
}

type AnswerCall = (call: RoutedCall) => Response | Promise<Response>;

/** Returns the function of this name of a module that its first call loads: most gateways need few of the endpoints. */
function lazy<Name extends string>(
  load: () => Promise<Record<NoInfer<Name>, AnswerCall>>,
  name: Name,
): AnswerCall {
  return async (call) => await (await load())[name](call);
}

const batches = () => import("./batches/answer_batches.ts");
const debugErrors = () => import("./operator/debug_errors.ts");
const engine = () => import("./jobs/answer_engine.ts");
const files = () => import("./files/answer_files.ts");
const keys = () => import("./keys/answer_keys.ts");
const mcp = () => import("./mcp_server/endpoint.ts");
const models = () => import("./models.ts");
const oauth = () => import("./sign_in/oauth.ts");
const serverOperations = () => import("./mcp_admin/operations.ts");
const serverStatus = () => import("./mcp_admin/status.ts");
const signInPage = () => import("./sign_in/page.ts");

const API_ROUTES: readonly EndpointRoute[] = [
  { method: "POST", path: "/v1/messages", answer: (call) => answerMessages(call) },
  { method: "POST", path: "/v1/messages/stream", answer: (call) => answerMessages(call, { stream: true }) },
  {
    method: "POST",
    path: "/v1/messages/count_tokens",
    answer: lazy(() => import("./count_tokens.ts"), "answerCountTokens"),
  },
  { method: "GET", path: "/v1/models", answer: lazy(models, "answerModels") },
  { method: "GET", path: "/v1/models/:id{.+}", answer: lazy(models, "answerModel") },
  {
    method: "GET",
    path: "/v1/sessions/:id",
    answer: lazy(() => import("./operator/session.ts"), "answerSession"),
  },
];

/** Endpoints of the operator. */
const OPERATOR_ROUTES: readonly EndpointRoute[] = [
  {
    method: "GET",
    path: "/metrics",
    access: "admin",
    answer: lazy(() => import("./operator/metrics.ts"), "answerMetrics"),
  },
  {
    method: "GET",
    path: "/debug/errors/recent",
    access: "debug",
    answer: lazy(debugErrors, "answerRecentErrors"),
  },
  {
    method: "GET",
    path: "/debug/errors/stats",
    access: "debug",
    answer: lazy(debugErrors, "answerErrorStats"),
  },
  {
    method: "GET",
    path: "/debug/errors/:id",
    access: "debug",
    answer: lazy(debugErrors, "answerError"),
  },
  {
    method: "POST",
    path: "/debug/errors/cleanup",
    body: "none",
    access: "debug",
    answer: lazy(debugErrors, "answerErrorCleanup"),
  },
];

/** Endpoints of the keys. */
const KEY_ROUTES: readonly EndpointRoute[] = ([
  { method: "GET", path: "/v1/gateway/keys", answer: lazy(keys, "listKeys") },
  { method: "POST", path: "/v1/gateway/keys", answer: lazy(keys, "makeKey") },
  { method: "DELETE", path: "/v1/gateway/keys/:name", answer: lazy(keys, "revokeKey") },
] as const).map((route) => ({ ...route, access: "admin_key" }));

/** Endpoints of the managed MCP servers: all need the admin key. */
const MCP_ROUTES: readonly EndpointRoute[] = ([
  { method: "GET", path: "/v1/mcp/servers", answer: lazy(serverStatus, "answerServers") },
  { method: "GET", path: "/v1/mcp/servers/status", answer: lazy(serverStatus, "answerStatuses") },
  { method: "GET", path: "/v1/mcp/servers/:name/status", answer: lazy(serverStatus, "answerServerStatus") },
  { method: "GET", path: "/v1/mcp/servers/:name/tools", answer: lazy(serverStatus, "answerServerTools") },
  {
    method: "POST",
    path: "/v1/mcp/servers/:name/start",
    body: "none",
    answer: lazy(serverOperations, "startServer"),
  },
  {
    method: "POST",
    path: "/v1/mcp/servers/:name/stop",
    body: "none",
    answer: lazy(serverOperations, "stopServer"),
  },
  {
    method: "POST",
    path: "/v1/mcp/servers/:name/restart",
    body: "none",
    answer: lazy(serverOperations, "restartServer"),
  },
  { method: "POST", path: "/v1/mcp/servers/start", answer: lazy(serverOperations, "startServers") },
  { method: "POST", path: "/v1/mcp/servers/stop", answer: lazy(serverOperations, "stopServers") },
  { method: "GET", path: "/v1/mcp/health", answer: lazy(serverStatus, "answerMcpHealth") },
  { method: "GET", path: "/v1/mcp/config", answer: lazy(serverStatus, "answerMcpConfig") },
  { method: "GET", path: "/v1/mcp/config/:name", answer: lazy(serverStatus, "answerServerConfig") },
] as const).map((route) => ({ ...route, access: "admin_key" }));

/** Endpoints by which Claude Code signs in, and what it asks for afterwards. */
const SIGN_IN_ROUTES: readonly EndpointRoute[] = [
  {
    method: "GET",
    path: "/.well-known/oauth-authorization-server",
    open: ["GET", "HEAD"],
    answer: lazy(oauth, "answerMetadata"),
  },
  ...([
    ["/oauth/device_authorization", lazy(oauth, "answerDeviceAuthorization")],
    ["/oauth/token", lazy(oauth, "answerToken")],
    ["/oauth/revoke", lazy(oauth, "answerRevocation")],
    ["/oauth/device", lazy(signInPage, "answerPageForm")],
  ] as const).map(([path, answer]) =>
    ({ method: "POST", path, body: "fields", open: ["POST"], answer }) as const
  ),
  { method: "GET", path: "/oauth/device", open: ["GET", "HEAD"], answer: lazy(signInPage, "answerPage") },
  {
    method: "GET",
    path: "/managed/settings",
    stale: true,
    answer: lazy(() => import("./sign_in/managed_settings.ts"), "answerManagedSettings"),
  },
  ...["/v1/metrics", "/v1/logs", "/v1/traces"].map((path) =>
    ({
      method: "POST",
      path,
      body: "any",
      stale: true,
      answer: lazy(() => import("./sign_in/telemetry.ts"), "answerTelemetry"),
    }) as const
  ),
];

const BATCH = "/v1/messages/batches/:id{[^/]+}";

/** The endpoints of message batches. */
const BATCH_ROUTES: readonly EndpointRoute[] = [
  {
    method: "POST",
    path: "/v1/messages/batches",
    answer: lazy(() => import("./batches/create_batch.ts"), "createBatch"),
  },
  { method: "GET", path: "/v1/messages/batches", answer: lazy(batches, "listBatches") },
  { method: "GET", path: BATCH, answer: lazy(batches, "answerBatch") },
  { method: "DELETE", path: BATCH, answer: lazy(batches, "deleteBatch") },
  { method: "POST", path: `${BATCH}/cancel`, body: "none", answer: lazy(batches, "cancelBatch") },
  { method: "GET", path: `${BATCH}/results`, answer: lazy(batches, "answerResults") },
];

const FILE = "/v1/files/:id{[^/]+}";

/** The endpoints of files. */
const FILE_ROUTES: readonly EndpointRoute[] = [
  {
    method: "POST",
    path: "/v1/files",
    body: "form",
    answer: lazy(() => import("./files/upload_file.ts"), "uploadFile"),
  },
  { method: "GET", path: "/v1/files", answer: lazy(files, "listFiles") },
  { method: "GET", path: FILE, answer: lazy(files, "answerFile") },
  { method: "DELETE", path: FILE, answer: lazy(files, "deleteFile") },
  { method: "GET", path: `${FILE}/content`, answer: lazy(files, "answerContent") },
];

/** The endpoints of the durable engine. They need no key: the engine signs its requests. */
const ENGINE_ROUTES: readonly EndpointRoute[] = [
  { method: "GET", path: "/restate/discover", open: ["GET"], answer: lazy(engine, "answerEngine") },
  { method: "POST", path: RUN_PATH, open: ["POST"], body: "any", answer: lazy(engine, "answerEngine") },
];

/**
 * All endpoints of the gateway, by their canonical paths ({@linkcode toCanonicalPath}). A request that no entry matches
 * needs a key, too.
 *
 * Open are the health check, Claude Code's probes of its base URL and its sign-in, and the signed requests of the
 * durable engine.
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
  {
    method: "GET",
    path: "/openapi.json",
    answer: async () => (await import("./openapi/answer_document.ts")).answerDocument(ROUTES),
  },
  { method: "GET", path: "/health", open: ["GET", "HEAD"], answer: answerHealth },
  {
    method: "GET",
    path: "/health/detailed",
    answer: lazy(() => import("./operator/detailed_health.ts"), "answerDetailedHealth"),
  },
  { method: "GET", path: "/api/hello", open: ["HEAD"], answer: answerHello },
  { method: "GET", path: "/status", answer: answerStatus },
  { method: "POST", path: "/mcp", answer: lazy(mcp, "answerMcp") },
  { method: "GET", path: "/mcp", answer: lazy(mcp, "answerMcpGet") },
  { method: "DELETE", path: "/mcp", answer: lazy(mcp, "answerMcpDelete") },
  {
    method: "GET",
    path: "/tool-metrics",
    answer: lazy(() => import("./operator/tool_metrics.ts"), "answerToolMetrics"),
  },
];
