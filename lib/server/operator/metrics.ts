import type { GatewayContext } from "../context.ts";

/**
 * Answers `GET /metrics` in the text format of Prometheus. Labels hold names of the gateway's settings, endpoints,
 * models and tools; never a key, a session or a text.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export function answerMetrics({ operations }: GatewayContext): Response {
  return new Response(operations.metrics.toText(), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}
