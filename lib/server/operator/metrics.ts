import type { RoutedCall } from "../routing/routed_call.ts";
import { readStateFamilies } from "./state_metrics.ts";

/**
 * Answers `GET /metrics` in the text format of Prometheus. Labels hold names of the gateway's settings, endpoints,
 * models, tools and MCP servers; never a key, a session or a text.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/
 */
export async function answerMetrics({ gateway }: RoutedCall): Promise<Response> {
  const families = [...gateway.operations.metrics.families, ...await readStateFamilies(gateway)];
  return new Response(families.map((family) => family.toText()).join(""), {
    headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
  });
}
