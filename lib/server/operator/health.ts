import type { Caller } from "../../access/caller.ts";
import { countUnhandledErrors } from "../../observability/counters.ts";
import type { GatewayContext } from "../context.ts";
import { ADMIN, LOCAL } from "../../config/gateway_keys.ts";
import { describeRuntime, readMemoryUsage } from "../../runtime/process.ts";
import { NAME, VERSION } from "../../base/version.ts";

/** Answers `GET /` with the gateway's name, version and endpoints. */
export function answerRoot(): Response {
  return Response.json({
    service: NAME,
    version: VERSION,
    description: "Serves Anthropic's Messages API and answers with any model behind OpenRouter",
    endpoints: [
      "POST /v1/messages",
      "POST /v1/messages/stream",
      "POST /v1/messages/count_tokens",
      "POST /v1/messages/batches",
      "GET /v1/messages/batches",
      "GET /v1/messages/batches/{id}",
      "DELETE /v1/messages/batches/{id}",
      "POST /v1/messages/batches/{id}/cancel",
      "GET /v1/messages/batches/{id}/results",
      "POST /v1/files",
      "GET /v1/files",
      "GET /v1/files/{id}",
      "DELETE /v1/files/{id}",
      "GET /v1/files/{id}/content",
      "GET /v1/models",
      "GET /v1/models/{id}",
      "GET /v1/sessions/{id}",
      "GET /v1/gateway/keys",
      "POST /v1/gateway/keys",
      "DELETE /v1/gateway/keys/{name}",
      "GET /v1/mcp/servers",
      "GET /v1/mcp/servers/status",
      "GET /v1/mcp/servers/{name}/status",
      "GET /v1/mcp/servers/{name}/tools",
      "POST /v1/mcp/servers/{name}/start",
      "POST /v1/mcp/servers/{name}/stop",
      "POST /v1/mcp/servers/{name}/restart",
      "POST /v1/mcp/servers/start",
      "POST /v1/mcp/servers/stop",
      "GET /v1/mcp/health",
      "GET /v1/mcp/config",
      "GET /v1/mcp/config/{name}",
      "GET /health",
      "GET /health/detailed",
      "GET /status",
      "GET /tool-metrics",
      "GET /metrics",
      "GET /debug/errors/recent",
      "GET /debug/errors/stats",
      "GET /debug/errors/{id}",
      "POST /debug/errors/cleanup",
      "POST /mcp",
      "GET /.well-known/oauth-authorization-server",
      "POST /oauth/device_authorization",
      "GET /oauth/device",
      "POST /oauth/device",
      "POST /oauth/token",
      "POST /oauth/revoke",
      "GET /managed/settings",
      "POST /v1/metrics",
      "POST /v1/logs",
      "POST /v1/traces",
    ],
  });
}

/** Answers `GET /api/hello`, which Claude Code requests to check its base URL. */
export function answerHello(): Response {
  return Response.json({ message: "hello" });
}

/**
 * Answers `GET /health`. This is a liveness check and contacts no upstream. The status is `degraded`, still with HTTP
 * 200, after an unhandled error.
 */
export function answerHealth({ clock }: GatewayContext): Response {
  return Response.json({
    status: countUnhandledErrors() === 0 ? "healthy" : "degraded",
    service: NAME,
    version: VERSION,
    timestamp: toIsoTime(clock.now()),
  });
}

/**
 * Answers `GET /status` with the uptime, the memory and the runtime. With the admin key, or if no keys are configured, the response also has the
 * counters, the upstreams, and the changes of requests that refusals have shown to be necessary. It never contains a key.
 */
export function answerStatus(gateway: GatewayContext, { client }: Caller): Response {
  const { clock, config, operations: { counters: { startedAt } } } = gateway;
  return Response.json({
    status: "ok",
    service: NAME,
    version: VERSION,
    environment: config.environment,
    timestamp: toIsoTime(clock.now()),
    uptime_seconds: Math.floor((clock.now() - startedAt) / 1000),
    memory_usage: readMemoryUsage(),
    runtime: describeRuntime(),
    ...(client === ADMIN || client === LOCAL ? statusDetails(gateway) : {}),
  });
}

function statusDetails(
  { operations: { counters }, directory, modelCache, learned }: GatewayContext,
) {
  const { requests: total, open, failures } = counters;
  const failed = Object.values(failures).reduce((sum, count) => sum + count, 0);
  return {
    // The request for this answer is not counted as open.
    requests: { total, failed, open: open - 1, failures },
    unhandled_errors: countUnhandledErrors(),
    upstreams: [...directory.upstreams.values()].map((upstream) => ({
      name: upstream.name,
      key_configured: upstream.key !== undefined,
      models_known: modelCache.peek(upstream).length,
    })),
    learned: learned.list(),
  };
}

function toIsoTime(ms: number): string {
  return new Date(ms).toISOString();
}
