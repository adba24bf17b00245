import type { Content } from "../../../anthropic/schema.ts";
import { describeServerTool } from "../../server_tool_text.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { CALL_ID, type InputItem, type OutputPart, type ResponsesContext } from "../responses.ts";
import { reportUnmarked } from "./cache.ts";
import { restoreReasoning } from "./earlier_reasoning.ts";
import { isBlankText, reportCitations } from "./parts.ts";

/** Options of `toAssistantItems`. */
export interface AssistantOptions {
  /** Path of the content in the client's request. */
  path: string;
  /** True if the answer continues in the next message. */
  continues: boolean;
}

/** Converts an earlier answer to its items, in their order: messages, reasoning and tool calls. */
export function toAssistantItems(
  content: Content,
  { path, continues }: AssistantOptions,
  context: ResponsesContext,
): InputItem[] {
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
        const [before, last] = [items.at(-2)?.item, items.at(-1)?.item];
        const repeated = features.reasoningBeforeEachCall && last?.type === "function_call" &&
          before?.type === "reasoning";
        if (repeated) items.push({ item: before });
        items.push({
          item: {
            type: "function_call",
            call_id: toUpstreamToolId(block.id, CALL_ID),
            name: context.names.rename(block.name, `${blockPath}.name`, loss),
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
  return withPhases(continues ? items : withoutTrailingReasoning(items, context), context);
}

/** An item, and the path of the thinking block that it was sealed in. */
interface LocatedItem {
  item: InputItem;
  path?: string;
}

type AssistantMessage = Extract<InputItem, { role: "assistant" }>;

function isAssistantMessage(item: InputItem): item is AssistantMessage {
  return item.type === "message" && item.role === "assistant";
}

function toAssistantMessage(text: string): AssistantMessage {
  return { type: "message", role: "assistant", content: [toOutputPart(text)] };
}

function toOutputPart(text: string): OutputPart {
  return { type: "output_text", text };
}

/** Removes reasoning that nothing follows, such as that of a truncated answer: hosts reject it. */
function withoutTrailingReasoning(items: LocatedItem[], { loss }: ResponsesContext): LocatedItem[] {
  const end = items.findLastIndex(({ item }) => item.type !== "reasoning") + 1;
  for (const { path } of items.slice(end)) if (path !== undefined) loss.add(path, "dropped");
  return items.slice(0, end);
}

/**
 * Marks the messages of models that require it: commentary if a call follows, else the final answer.
 *
 * Models set the marks by this rule. Without them, they stop early or repeat themselves.
 * Source: https://github.com/stacklok/mecatl/issues/46
 */
function withPhases(items: readonly LocatedItem[], { family }: ResponsesContext): InputItem[] {
  const lastCall = items.findLastIndex(({ item }) => item.type === "function_call");
  return items.map(({ item }, at): InputItem =>
    family?.phases && isAssistantMessage(item)
      ? { ...item, phase: at < lastCall ? "commentary" : "final_answer" }
      : item
  );
}
