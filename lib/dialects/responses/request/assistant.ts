import type { Content } from "../../../anthropic/schema.ts";
import { describeServerTool } from "../../server_tool_text.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import type { LossReport } from "../../loss.ts";
import {
  CALL_ID,
  type InputItem,
  type LocatedItem,
  type OutputPart,
  type ResponsesContext,
} from "../responses.ts";
import { reportUnmarked } from "./cache.ts";
import { restoreReasoning } from "./earlier_reasoning.ts";
import { isBlankText, reportCitations } from "./parts.ts";

/** Converts an earlier answer to its items, in their order: messages, reasoning and tool calls. */
export function toAssistantItems(
  content: Content,
  path: string,
  context: ResponsesContext,
): readonly LocatedItem[] {
  const { features, loss } = context;
  const items: LocatedItem[] = [];
  const addText = (text: string) => {
    const last = items.at(-1)?.item;
    if (last && isAssistantMessage(last)) last.content.push(toOutputPart(text));
    else items.push({ item: toAssistantMessage(text) });
  };
  if (typeof content === "string") {
    if (content.trim() !== "") addText(content);
    return withPhases(items, context);
  }
  content.forEach((block, nth) => {
    const blockPath = `${path}.${nth}`;
    reportUnmarked(block, blockPath, context);
    switch (block.type) {
      case "text":
        reportCitations(block, blockPath, loss);
        if (!isBlankText(block)) addText(block.text);
        return;
      case "tool_use": {
        const reasoning = items.findLast(({ item }) => item.type === "reasoning");
        const isFurtherCall = items.at(-1)?.item.type === "function_call";
        if (features.reasoningBeforeEachCall && isFurtherCall && reasoning) items.push(reasoning);
        items.push({
          item: {
            type: "function_call",
            call_id: toUpstreamToolId(block.id, CALL_ID),
            name: context.names.rename(block.name, () => `${blockPath}.name`, loss),
            arguments: JSON.stringify(block.input),
          },
        });
        return;
      }
      case "thinking":
      case "redacted_thinking": {
        const restored = restoreReasoning(block, context);
        if (restored.lost) loss.add(blockPath, "dropped");
        for (const item of restored.items) items.push({ item, path: blockPath });
        return;
      }
      default: {
        const description = describeServerTool(block);
        loss.add(blockPath, description === undefined ? "dropped" : "approximated");
        if (description !== undefined) addText(description);
      }
    }
  });
  return withPhases(items, context);
}

type AssistantMessage = Extract<InputItem, { role: "assistant" }>;

function isAssistantMessage(item: InputItem): item is AssistantMessage {
  return item.type === "message" && item.role === "assistant";
}

function toAssistantMessage(text: string): AssistantMessage {
  return { type: "message", role: "assistant", content: [toOutputPart(text)] };
}

function toOutputPart(text: string): OutputPart {
  return { type: "output_text", text, annotations: [] };
}

/**
 * Removes reasoning that led to no message and no call, such as that of a truncated answer: hosts reject it.
 *
 * Source: https://github.com/openai/openai-agents-python/issues/1611
 */
export function withoutDanglingReasoning(items: readonly LocatedItem[], loss: LossReport): InputItem[] {
  return items.flatMap(({ item, path }, at): InputItem[] => {
    if (item.type !== "reasoning") return [item];
    const next = items.slice(at + 1).find((other) => other.item.type !== "reasoning")?.item;
    if (next && (isAssistantMessage(next) || next.type === "function_call")) return [item];
    if (path !== undefined) loss.add(path, "dropped");
    return [];
  });
}

/**
 * Marks the messages of models that require it: commentary if a call follows, else the final answer.
 *
 * Models set the marks by this rule. Without them, they stop early or repeat themselves.
 * Source: https://github.com/stacklok/mecatl/issues/46
 */
function withPhases(items: readonly LocatedItem[], { family }: ResponsesContext): readonly LocatedItem[] {
  const lastCall = items.findLastIndex(({ item }) => item.type === "function_call");
  return items.map(({ item, path }, at): LocatedItem =>
    family?.phases && isAssistantMessage(item)
      ? { item: { ...item, phase: at < lastCall ? "commentary" : "final_answer" } }
      : { item, path }
  );
}
