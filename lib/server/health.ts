import type { Caller } from "../access/caller.ts";
import { countUnhandledErrors } from "../observability/counters.ts";
import type { GatewayContext } from "./context.ts";
import { ADMIN, LOCAL } from "../config/gateway_keys.ts";
import { NAME, VERSION } from "../base/version.ts";

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
      "GET /v1/models",
      "GET /v1/models/{id}",
      "GET /health",
      "GET /status",
      "GET /tool-metrics",
      "POST /mcp",
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
 * Answers `GET /status` with the uptime. With the admin key, or if no keys are configured, the response also has the
 * counters, the upstreams, and the changes of requests that refusals have shown to be necessary. It never contains a key.
 */
export function answerStatus(gateway: GatewayContext, { client }: Caller): Response {
  const { clock, config, counters: { startedAt } } = gateway;
  return Response.json({
    status: "ok",
    service: NAME,
    version: VERSION,
    environment: config.environment,
    timestamp: toIsoTime(clock.now()),
    uptime_seconds: Math.floor((clock.now() - startedAt) / 1000),
    ...(client === ADMIN || client === LOCAL ? statusDetails(gateway) : {}),
  });
}

function statusDetails(
  { counters: { requests, errors, open }, directory, modelCache, learned }: GatewayContext,
) {
  return {
    // The request for this answer is not counted as open.
    requests: { total: requests, failed: errors, open: open - 1 },
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
