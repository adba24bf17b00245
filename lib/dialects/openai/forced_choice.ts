import type { MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../json.ts";
import type { ChatContext } from "./chat.ts";

/**
 * Takes the thinking out of a request that forces a tool, as the choice of tools says that was made of it.
 *
 * Anthropic's API refuses the two together ("Thinking may not be enabled when tool_choice forces tool use"), and so
 * do the hosts of Claude, DeepSeek, Qwen and Kimi that OpenRouter hands both to. The choice is what the client builds
 * on, so the thinking gives way. Adaptive thinking stays, as Anthropic's API lets it: that model need not think. Where
 * thinking is no more than an effort, or cannot be said at all, there is nothing that could be refused.
 */
export function withoutForcedThinking(
  request: MessagesRequest,
  { tool_choice: choice }: JsonObject,
  { features, loss }: ChatContext,
): MessagesRequest {
  const forced = choice === "required" || isObject(choice);
  if (!forced || request.thinking?.type !== "enabled" || features.thinking !== "reasoning") return request;
  loss.add("thinking", "approximated");
  return { ...request, thinking: { type: "disabled" } };
}
