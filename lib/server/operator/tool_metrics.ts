import type { RoutedCall } from "../routing/routed_call.ts";
import { VERSION } from "../../base/version.ts";

/** Answers `GET /tool-metrics` with statistics of the tool calls since the gateway started. Times are in seconds. */
export async function answerToolMetrics(
  { gateway: { loadToolbox, loadCallRunner, clock, config } }: RoutedCall,
): Promise<Response> {
  const toolbox = await loadToolbox?.();
  const runner = await loadCallRunner();
  return Response.json({
    status: "ok",
    message: toolbox === undefined ? "Tools are disabled" : "Tools are enabled",
    version: VERSION,
    timestamp: new Date(clock.now()).toISOString(),
    tool_execution: {
      enabled: toolbox !== undefined,
      // Without tools, web searches by the upstream are counted.
      metrics: runner.metrics(),
      max_concurrent_tools: config.toolConcurrency,
      execution_timeout: config.toolTimeout,
      rate_limit_window: 60,
      rate_limit_max_requests: config.toolRate,
    },
  });
}
