import { countUnhandledErrors } from "../../observability/counters.ts";
import { FAILURE_KINDS, type FailureKind, isExpected } from "../../observability/failure_kind.ts";
import type { GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { ADMIN, LOCAL } from "../../config/gateway_keys.ts";
import { describeRuntime, readMemoryUsage } from "../../runtime/process.ts";
import { NAME, VERSION } from "../../base/version.ts";

/** Answers `GET /` with the gateway's name, version and endpoints. */
export function answerRoot(endpoints: readonly string[]): Response {
  return Response.json({
    service: NAME,
    version: VERSION,
    description: "Serves Anthropic's Messages API and answers with any model behind OpenRouter",
    endpoints,
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
export function answerHealth({ gateway: { clock } }: RoutedCall): Response {
  return Response.json({
    status: countUnhandledErrors() === 0 ? "healthy" : "degraded",
    service: NAME,
    version: VERSION,
    timestamp: toIsoTime(clock.now()),
  });
}

/**
 * Answers `GET /status` with the uptime, the memory and the runtime. With the admin key, or if no keys are configured,
 * the response also has the counters, the upstreams, and the changes of requests that refusals have shown to be
 * necessary. It never contains a key.
 */
export function answerStatus({ gateway, requestLog: { caller: { client } } }: RoutedCall): Response {
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
  const sum = (kinds: readonly FailureKind[]) => kinds.reduce((total, kind) => total + failures[kind], 0);
  const [failed, expected] = [sum(FAILURE_KINDS), sum(FAILURE_KINDS.filter(isExpected))];
  return {
    // The request for this answer is not counted as open.
    requests: { total, failed, expected, open: open - 1, failures },
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
