import type { Gateway } from "./gateway.ts";
import { NAME, VERSION } from "./version.ts";

/** Answers `GET /`: what this is and what it can be asked. */
export function answerRoot(): Response {
  return Response.json({
    service: NAME,
    version: VERSION,
    description: "Speaks Anthropic's Messages API and answers with any model behind OpenRouter",
    endpoints: [
      "POST /v1/messages",
      "POST /v1/messages/stream",
      "POST /v1/messages/count_tokens",
      "GET /v1/models",
      "GET /v1/models/{id}",
      "GET /health",
      "GET /status",
    ],
  });
}

/** Answers `GET /health`: that the process answers, and nothing else is asked for it. */
export function answerHealth({ clock }: Gateway): Response {
  return Response.json({
    status: "healthy",
    service: NAME,
    version: VERSION,
    timestamp: toTime(clock.now()),
  });
}

/** Answers `GET /status`: how long the gateway runs, what it did and whom it asks. Never a key. */
export function answerStatus({ clock, config, counters, directory, catalogue }: Gateway): Response {
  const { startedAt, requests, errors, open } = counters;
  return Response.json({
    status: "ok",
    service: NAME,
    version: VERSION,
    environment: config.environment,
    timestamp: toTime(clock.now()),
    uptime_seconds: Math.floor((clock.now() - startedAt) / 1000),
    requests: { total: requests, failed: errors, open },
    upstreams: [...directory.upstreams.values()].map((upstream) => ({
      name: upstream.name,
      key_configured: upstream.key !== undefined,
      models_known: catalogue.known(upstream).length,
    })),
  });
}

function toTime(ms: number): string {
  return new Date(ms).toISOString();
}
