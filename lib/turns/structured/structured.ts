import type { Ask } from "../../anthropic/ask.ts";
import { relay } from "../../base/relay.ts";
import type { LossReport } from "../../dialects/loss.ts";
import type { Route } from "../../upstreams/upstream.ts";
import type { StructuredOptions } from "./ask_structured.ts";
import { findOutputFormat } from "./output_format.ts";

/**
 * Makes sure that the answer to a request with an output schema is valid under it.
 *
 * An answer is held until it is complete. An invalid one is sent back to the model with the complaints, and the answer
 * requested again. The client receives one message with the valid value as its only text, and the usage of all
 * attempts. A refusal, a cut answer and a tool call are passed on as they are.
 *
 * Throws an `invalid_request_error` if the schema cannot be used, and a final `api_error` (502) with the paths of the
 * complaints if the last answer is not valid either.
 */
export function withStructuredOutput(
  askTurns: (loss: LossReport) => (route: Route) => Ask,
  options: StructuredOptions,
): (route: Route) => Ask {
  return (route) => (request) => {
    const format = findOutputFormat(request);
    if (format === undefined) return askTurns(options.loss)(route)(request);
    return relay(async () => {
      const { askStructured } = await import("./ask_structured.ts");
      return askStructured(request, { askTurns, route, format, options });
    });
  };
}
