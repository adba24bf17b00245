import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../json.ts";
import type { LossReport } from "../../loss.ts";
import type { ChatContext } from "./chat.ts";

/** The efforts that OpenRouter and OpenAI know. Source: https://openrouter.ai/docs/use-cases/reasoning-tokens */
const EFFORTS = new Set(["max", "xhigh", "high", "medium", "low", "minimal", "none"]);

/**
 * Says how much the model shall think.
 *
 * Of several efforts given in messages the last one counts; an effort beats a budget only where thinking has none.
 */
export function toReasoning(request: MessagesRequest, { features, loss }: ChatContext): JsonObject {
  const effort = toEffort(request, loss);
  const { thinking } = request;
  if (features.thinking !== "reasoning") {
    const said = features.thinking === "reasoning_effort" && effort !== undefined;
    if (thinking && thinking.type !== "disabled") loss.add("thinking", said ? "approximated" : "dropped");
    return said ? { reasoning_effort: effort } : {};
  }
  switch (thinking?.type) {
    case "enabled":
      return { reasoning: { max_tokens: thinking.budget_tokens } };
    case "disabled":
      return { reasoning: { enabled: false } };
    case "between_tools":
      loss.add("thinking", "approximated");
      return { reasoning: effort ? { effort } : { enabled: true } };
    case "adaptive":
      return { reasoning: effort ? { effort } : { enabled: true } };
    case undefined:
      return effort ? { reasoning: { effort } } : {};
    default:
      loss.add("thinking", "dropped");
      return effort ? { reasoning: { effort } } : {};
  }
}

function toEffort(request: MessagesRequest, loss: LossReport): string | undefined {
  const given = [{ path: "output_config.effort", effort: request.output_config?.effort }].concat(
    request.messages.map((message, at) => ({
      path: `messages.${at}.output_config.effort`,
      effort: message.output_config?.effort,
    })),
  ).filter(({ effort }) => effort !== null && effort !== undefined);
  const last = given.at(-1);
  for (const { path, effort } of given) {
    if (effort !== last?.effort || !EFFORTS.has(effort ?? "")) loss.add(path, "dropped");
  }
  return last?.effort && EFFORTS.has(last.effort) ? last.effort : undefined;
}
