import type { MessagesRequest } from "../../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import type { ChatContext, HostContext } from "../chat.ts";

/** Tells whether a model can be made to call a tool: not every host lets one, and not every model that must think. */
export function canForceTool({ features, facts }: Pick<HostContext, "features" | "facts">): boolean {
  const allowedWhileThinking = features.forcedWhileThinking || facts.reasoning?.mandatory !== true;
  return allowedWhileThinking && features.toolChoices.includes("forced") &&
    (facts.parameters?.has("tool_choice") ?? true);
}

/**
 * Takes the thinking out of a request that forces a tool, as the choice of tools says that was made of it.
 *
 * Anthropic's API refuses the two together ("Thinking may not be enabled when tool_choice forces tool use"), and so do
 * the hosts of Claude, DeepSeek, Qwen and Kimi. The choice is what the client builds on, so the thinking gives way.
 * Adaptive thinking stays where the model lets it: that model need not think. Where thinking is no more than an
 * effort, or cannot be said at all, there is nothing that could be refused.
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
  // A model that thinks unasked must be told not to as well, which loses nothing.
  if (thinking) loss.add("thinking", "approximated");
  return { ...request, thinking: { type: "disabled" } };
}
