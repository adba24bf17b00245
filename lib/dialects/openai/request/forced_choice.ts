import type { MessagesRequest } from "../../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import type { ChatContext, HostContext } from "../chat.ts";

/** True if the model can be forced to call a tool. Some hosts cannot, nor some models whose thinking is mandatory. */
export function canForceTool({ features, facts }: Pick<HostContext, "features" | "facts">): boolean {
  const allowedWhileThinking = features.forcedWhileThinking || facts.reasoning?.mandatory !== true;
  return allowedWhileThinking && features.toolChoices.includes("forced") &&
    (facts.parameters?.has("tool_choice") ?? true);
}

/**
 * Disables thinking if the translated `tool_choice` forces a tool.
 *
 * Anthropic's API rejects the two together ("Thinking may not be enabled when tool_choice forces tool use"), and so do
 * the hosts of Claude, DeepSeek, Qwen and Kimi. The tool choice takes precedence, because the client depends on it.
 * Adaptive thinking stays if the model can be forced while it thinks. The request stays as it is if the host accepts
 * only an effort, or no thinking field: there is no conflict.
 */
export function withoutForcedThinking(
  request: MessagesRequest,
  { tool_choice: choice }: JsonObject,
  { features, loss }: ChatContext,
): MessagesRequest {
  const { thinking } = request;
  const forced = choice === "required" || isObject(choice);
  const sendsThinking = features.thinking === "reasoning" || features.thinking === "switch";
  const conflicts = thinking?.type === "enabled" || !features.forcedWhileThinking;
  if (!forced || !sendsThinking || !conflicts || thinking?.type === "disabled") return request;
  // Thinking is also disabled if the client did not request it, as some models think by default. That is no loss.
  if (thinking) loss.add("thinking", "approximated");
  return { ...request, thinking: { type: "disabled" } };
}
