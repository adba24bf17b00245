import type { Content, MessagesRequest } from "../../../anthropic/schema.ts";
import { isBillingBlock } from "../../request/billing_block.ts";
import { ContentOfMessage, locateBlocks, type Place } from "../../request/located_block.ts";
import type { InputItem, InputPart, LocatedItem, ResponsesContext } from "../responses.ts";
import { toAssistantItems, withoutDanglingReasoning } from "./assistant.ts";
import { toFormatInstruction } from "./format.ts";
import { toParts } from "./parts.ts";
import { ResultPlacer } from "./results.ts";

/** The conversation of a request. */
export interface ResponsesInput {
  instructions?: string;
  input: InputItem[];
}

/** Converts the system prompt and the messages of a request. */
export function toInput(request: MessagesRequest, context: ResponsesContext): ResponsesInput {
  const instruction = toFormatInstruction(request, context);
  const system = [
    ...toTextParts(request.system ?? [], SYSTEM, context),
    ...(instruction === undefined ? [] : [{ type: "input_text" as const, text: instruction }]),
  ];
  const { messages } = request;
  const results = new ResultPlacer(messages, context);
  const items = messages.flatMap(({ role, content }, at): readonly LocatedItem[] => {
    const place = new ContentOfMessage(at);
    switch (role) {
      case "system":
        return locate(toSystemItems(toTextParts(content, place, context), `messages.${at}.role`, context));
      case "assistant":
        return [...toAssistantItems(content, place.path, context), ...locate(results.resultItems(at))];
      case "user":
        return locate(toUserItems(content, place, { ...context, results }));
    }
  });
  const input = withoutDanglingReasoning(items, context.loss);
  // Instructions are plain text. The parts of a message can be marked for the cache.
  const isPlain = system.every(({ type, prompt_cache_breakpoint }) =>
    type === "input_text" && !prompt_cache_breakpoint
  );
  if (!isPlain) return { input: [{ type: "message", role: "developer", content: system }, ...input] };
  return system.length === 0 ? { input } : { instructions: joinTexts(system), input };
}

const SYSTEM: Place = { path: "system" };

function locate(items: readonly InputItem[]): LocatedItem[] {
  return items.map((item) => ({ item }));
}

/** Converts system content to parts. Claude Code's billing block is not sent. */
function toTextParts(content: Content, place: Place, context: ResponsesContext): InputPart[] {
  if (typeof content === "string") {
    return content.trim() === "" ? [] : [{ type: "input_text", text: content }];
  }
  return toParts(locateBlocks(content, place).filter(({ block }) => !isBillingBlock(block)), context);
}

function joinTexts(parts: readonly InputPart[]): string {
  return parts.flatMap((part) => part.type === "input_text" ? [part.text] : []).join("\n\n");
}

function toSystemItems(
  parts: InputPart[],
  rolePath: string,
  { features, loss }: ResponsesContext,
): InputItem[] {
  if (parts.length === 0) return [];
  if (!features.systemAnywhere) loss.add(rolePath, "approximated");
  return [{ type: "message", role: features.systemAnywhere ? "system" : "user", content: toContent(parts) }];
}

/** Converts a user's content without its tool results, which `ResultPlacer` puts after their calls. */
function toUserItems(
  content: Content,
  place: ContentOfMessage,
  { results, ...context }: ResponsesContext & { results: ResultPlacer },
): InputItem[] {
  if (typeof content === "string") {
    return content.trim() === "" ? [] : [{ type: "message", role: "user", content }];
  }
  const others = locateBlocks(content, place).filter(({ block }) => block.type !== "tool_result");
  const parts = [...results.remainderOf(content, place), ...toParts(others, context)];
  return parts.length === 0 ? [] : [{ type: "message", role: "user", content: toContent(parts) }];
}

/** Returns plain text if possible, because not every host accepts parts. */
function toContent(parts: InputPart[]): string | InputPart[] {
  const [only] = parts;
  const isPlain = parts.length === 1 && only?.type === "input_text" && !only.prompt_cache_breakpoint;
  return isPlain ? only.text : parts;
}
