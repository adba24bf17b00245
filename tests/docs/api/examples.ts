import type { Json } from "../../kit/json.ts";

/** An example of the API reference: a request, and the part of its answer that is shown. */
export interface Example {
  /** Endpoint, as in the table of routes. */
  endpoint: string;
  /**
   * Path and query. `$ID` stands for the id in the answer of the endpoint that `idOf` names. Default: the endpoint's.
   */
  path?: string;
  idOf?: string;
  /** The key that is sent. Default: a client's. */
  key?: "admin" | "none";
  headers?: Record<string, string>;
  body?: object;
  /** Fields of a URL-encoded form. `$CODE` is the device code, `$TOKEN` the token, of an earlier answer. */
  fields?: Record<string, string>;
  /** True if a person enters the code of the sign-in first. */
  entered?: boolean;
  /** Content of the part `file` of a form. */
  file?: { name: string; content: string };
  /** Shortens an answer that is long. */
  show?: (answer: Json) => unknown;
  /** Status of the answer. Default: 200. */
  status?: number;
  /** True if the example is read until a batch has ended. */
  untilEnded?: boolean;
  /** Page of the documentation that has more. */
  see: string;
}

const VERSION = { "anthropic-version": "2023-06-01" };
const MESSAGE = { model: "demo/echo", max_tokens: 100, messages: [{ role: "user", content: "Hello" }] };
const SESSION = { "x-claude-code-session-id": "session-1" };
const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const MADE_KEYS = "access.md#keys-made-while-the-gateway-runs";
const SIGN_IN = "clients.md#sign-in";
const admin = { key: "admin" as const };

/**
 * The examples, in the order in which they are run. Each endpoint has at least one. Those that count requests come
 * before the one that waits for a batch.
 */
export const EXAMPLES: readonly Example[] = [
  { endpoint: "POST /v1/messages", headers: SESSION, body: MESSAGE, see: "clients.md" },
  {
    endpoint: "POST /v1/messages",
    body: { ...MESSAGE, model: "openai/gpt-6" },
    headers: { "x-correlation-id": "order-1" },
    status: 404,
    see: "clients.md#errors",
  },
  { endpoint: "POST /v1/messages/stream", body: MESSAGE, see: "clients.md" },
  {
    endpoint: "POST /v1/messages/count_tokens",
    body: { model: "demo/echo", messages: MESSAGE.messages },
    see: "clients.md",
  },
  { endpoint: "GET /v1/models", path: "/v1/models?limit=1", headers: VERSION, see: "models.md" },
  { endpoint: "GET /v1/models/{id}", path: "/v1/models/demo/echo", headers: VERSION, see: "models.md" },
  {
    endpoint: "GET /v1/sessions/{id}",
    path: "/v1/sessions/session-1",
    see: "operations.md#status-line",
  },
  {
    endpoint: "GET /v1/sessions/{id}",
    path: "/v1/sessions/session-1",
    headers: { accept: "text/plain" },
    see: "operations.md#status-line",
  },
  { endpoint: "GET /status", ...admin, see: "operations.md#health-and-status" },
  { endpoint: "GET /metrics", ...admin, see: "operations.md#metrics" },
  { endpoint: "GET /tool-metrics", see: "operations.md#health-and-status" },
  {
    endpoint: "POST /v1/messages/batches",
    body: { requests: [{ custom_id: "first", params: MESSAGE }] },
    see: "durable.md#message-batches",
  },
  {
    endpoint: "GET /v1/messages/batches/{id}",
    idOf: "POST /v1/messages/batches",
    untilEnded: true,
    see: "durable.md#message-batches",
  },
  {
    endpoint: "GET /v1/messages/batches",
    path: "/v1/messages/batches?limit=1",
    see: "durable.md#message-batches",
  },
  {
    endpoint: "GET /v1/messages/batches/{id}/results",
    idOf: "POST /v1/messages/batches",
    see: "durable.md#message-batches",
  },
  {
    endpoint: "POST /v1/messages/batches/{id}/cancel",
    idOf: "POST /v1/messages/batches",
    see: "durable.md#message-batches",
  },
  {
    endpoint: "DELETE /v1/messages/batches/{id}",
    idOf: "POST /v1/messages/batches",
    see: "durable.md#message-batches",
  },
  {
    endpoint: "POST /v1/files",
    headers: VERSION,
    file: { name: "notes.txt", content: "Bees dance." },
    see: "durable.md#files",
  },
  { endpoint: "GET /v1/files", see: "durable.md#files" },
  { endpoint: "GET /v1/files/{id}", idOf: "POST /v1/files", see: "durable.md#files" },
  { endpoint: "GET /v1/files/{id}/content", idOf: "POST /v1/files", see: "durable.md#files" },
  { endpoint: "DELETE /v1/files/{id}", idOf: "POST /v1/files", see: "durable.md#files" },
  {
    endpoint: "POST /v1/gateway/keys",
    body: { name: "bob", models: ["demo/*"], limits: { usd_day: 1 } },
    show: (answer) => ({ ...answer, key: "…" }),
    ...admin,
    see: MADE_KEYS,
  },
  { endpoint: "GET /v1/gateway/keys", ...admin, see: MADE_KEYS },
  {
    endpoint: "DELETE /v1/gateway/keys/{name}",
    path: "/v1/gateway/keys/bob",
    ...admin,
    see: MADE_KEYS,
  },
  { endpoint: "GET /.well-known/oauth-authorization-server", key: "none", see: SIGN_IN },
  {
    endpoint: "POST /oauth/device_authorization",
    key: "none",
    fields: { client_id: "claude_code" },
    see: SIGN_IN,
  },
  {
    endpoint: "POST /oauth/token",
    key: "none",
    fields: { grant_type: GRANT, device_code: "$CODE" },
    status: 400,
    see: SIGN_IN,
  },
  {
    endpoint: "POST /oauth/token",
    key: "none",
    fields: { grant_type: GRANT, device_code: "$CODE" },
    entered: true,
    see: SIGN_IN,
  },
  { endpoint: "POST /oauth/revoke", key: "none", fields: { token: "$TOKEN" }, see: SIGN_IN },
  { endpoint: "GET /managed/settings", see: SIGN_IN },
  ...["metrics", "logs", "traces"].map((kind) => ({
    endpoint: `POST /v1/${kind}`,
    body: {},
    see: SIGN_IN,
  })),
  { endpoint: "GET /v1/mcp/servers", ...admin, see: "mcp.md#endpoints" },
  {
    endpoint: "POST /v1/mcp/servers/{name}/start",
    path: "/v1/mcp/servers/docs/start",
    ...admin,
    see: "mcp.md#endpoints",
  },
  { endpoint: "GET /v1/mcp/servers/status", ...admin, see: "mcp.md#endpoints" },
  {
    endpoint: "GET /v1/mcp/servers/{name}/status",
    path: "/v1/mcp/servers/docs/status",
    ...admin,
    see: "mcp.md#endpoints",
  },
  {
    endpoint: "GET /v1/mcp/servers/{name}/tools",
    path: "/v1/mcp/servers/docs/tools",
    ...admin,
    see: "mcp.md#endpoints",
  },
  {
    endpoint: "POST /v1/mcp/servers/{name}/restart",
    path: "/v1/mcp/servers/docs/restart",
    ...admin,
    see: "mcp.md#endpoints",
  },
  { endpoint: "GET /v1/mcp/health", ...admin, see: "mcp.md#endpoints" },
  {
    endpoint: "POST /v1/mcp/servers/{name}/stop",
    path: "/v1/mcp/servers/docs/stop?force=true",
    ...admin,
    see: "mcp.md#endpoints",
  },
  {
    endpoint: "POST /v1/mcp/servers/start",
    body: { server_names: ["docs", "other"] },
    ...admin,
    see: "mcp.md#endpoints",
  },
  {
    endpoint: "POST /v1/mcp/servers/stop",
    body: { server_names: ["docs"], force: true },
    ...admin,
    see: "mcp.md#endpoints",
  },
  { endpoint: "GET /v1/mcp/config", ...admin, see: "mcp.md#endpoints" },
  {
    endpoint: "GET /v1/mcp/config/{name}",
    path: "/v1/mcp/config/docs",
    ...admin,
    see: "mcp.md#endpoints",
  },
  {
    endpoint: "POST /mcp",
    headers: { accept: "application/json, text/event-stream" },
    body: {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: {
        protocolVersion: "2025-11-25",
        capabilities: {},
        clientInfo: { name: "client", version: "1" },
      },
    },
    see: "mcp.md#over-http",
  },
  { endpoint: "GET /mcp", status: 405, see: "mcp.md#over-http" },
  {
    endpoint: "DELETE /mcp",
    headers: { "mcp-session-id": "$SESSION" },
    status: 204,
    see: "mcp.md#over-http",
  },
  {
    endpoint: "GET /",
    show: ({ endpoints, ...answer }) => ({ ...answer, endpoints: [...firstOf(endpoints, 2), "…"] }),
    see: "clients.md",
  },
  { endpoint: "GET /api/hello", see: "clients.md" },
  {
    endpoint: "GET /openapi.json",
    show: ({ openapi, info }) => ({ openapi, info, "…": {} }),
    see: "operations.md#health-and-status",
  },
  { endpoint: "GET /health", key: "none", see: "operations.md#health-and-status" },
  { endpoint: "GET /health/detailed", see: "operations.md#health-and-status" },
  {
    endpoint: "GET /debug/errors/recent",
    path: "/debug/errors/recent?count=1",
    ...admin,
    see: "operations.md#errors",
  },
  { endpoint: "GET /debug/errors/stats", ...admin, see: "operations.md#errors" },
  {
    endpoint: "GET /debug/errors/{id}",
    path: "/debug/errors/order-1",
    ...admin,
    see: "operations.md#errors",
  },
  {
    endpoint: "POST /debug/errors/cleanup",
    path: "/debug/errors/cleanup?days_to_keep=3",
    ...admin,
    see: "operations.md#errors",
  },
];

function firstOf(value: unknown, count: number): unknown[] {
  return Array.isArray(value) ? value.slice(0, count) : [];
}
