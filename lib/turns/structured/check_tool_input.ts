import type { Ask } from "../../anthropic/ask.ts";
import { isCustomTool } from "../../anthropic/schema.ts";
import { once } from "../../base/once.ts";
import { relay, tap } from "../../base/relay.ts";
import type { LossReport } from "../../dialects/loss.ts";

/**
 * Checks the arguments of finished tool calls against the client's schemas, and reports those that are not valid.
 *
 * The calls are passed on unchanged: the client validates them too, and answers with an error that the model
 * understands. The report has the path in the answer, such as `content.1.input.city;invalid`. Not checked are tools
 * whose schema cannot be used, and calls for which the steps of the answer do not suffice.
 */
export function withToolInputCheck(ask: Ask, loss: LossReport): Ask {
  return (request) => {
    // Without tools of the client, nothing is checked.
    if (!request.tools?.some(isCustomTool)) return ask(request);
    return relay(async () => {
      const { ToolInputChecker } = await loadChecker();
      const checker = new ToolInputChecker(request, loss);
      return tap(ask(request), (batch) => {
        for (const event of batch) checker.read(event);
      });
    });
  };
}

const loadChecker = once(() => import("./tool_input_checker.ts"));
