import type { ResponseBlock, ResponseMessage, StreamEvent, Usage } from "../../anthropic/events.ts";
import { toBlockEvents } from "../../anthropic/to_events.ts";
import type { Complaint } from "../../json_schema/complaint.ts";
import { trimBlanks } from "../../json_schema/output/find_json.ts";
import { StepBudget } from "../../json_schema/step_budget.ts";
import type { OutputContract } from "./output_contract.ts";

/** Stop reasons of an answer that is cut, refused or goes on. */
const UNFINISHED_REASONS: ReadonlySet<string | null> = new Set([
  "max_tokens",
  "model_context_window_exceeded",
  "refusal",
  "pause_turn",
  "compaction",
]);

/** Returns true if an answer is finished, for whatever reason, and calls no tools of the client. */
export function isFinished(stopReason: string | null, content: readonly ResponseBlock[]): boolean {
  return !UNFINISHED_REASONS.has(stopReason) && !isCall(stopReason, content);
}

function isCall(stopReason: string | null, content: readonly ResponseBlock[]): boolean {
  return stopReason === "tool_use" && content.some(({ type }) => type === "tool_use");
}

/** Returns the blocks of a message up to the last result of a tool that was run for it, without the text. */
export function untilLastTool(content: readonly ResponseBlock[]): ResponseBlock[] {
  const last = content.findLastIndex(({ type }) => /_tool_result$/.test(type));
  return content.slice(0, last + 1).filter(({ type }) => type !== "text");
}

/** Returns the events of a message with other blocks. */
export function withContent(
  events: readonly StreamEvent[],
  content: readonly ResponseBlock[],
): StreamEvent[] {
  const others = events.filter(({ type }) => !type.startsWith("content_block_"));
  const end = others.findIndex(({ type }) => type === "message_delta");
  return [...others.slice(0, end), ...content.flatMap(toBlockEvents), ...others.slice(end)];
}

/** Returns the events of a message with the start of the first attempt and the usage of all. */
export function withHead(
  events: readonly StreamEvent[],
  start: StreamEvent | undefined,
  usage: Usage,
): StreamEvent[] {
  return events.map((event) => {
    if (event.type === "message_start") return start ?? event;
    return event.type === "message_delta" ? { ...event, usage } : event;
  });
}

/** Content with the valid value as the only text, or what is wrong with the text. */
export type CheckedContent =
  | { content: ResponseBlock[]; complaints?: undefined }
  | { content?: undefined; complaints: readonly Complaint[] };

/** Checks a message, and returns its content with the valid value as the only text. */
export function checkMessage(
  { content, stop_reason }: ResponseMessage,
  contract: OutputContract,
  wrapped: boolean,
): CheckedContent {
  if (isCall(stop_reason, content)) return { content: withValidText(content, contract, wrapped) };
  if (!isFinished(stop_reason, content)) return { content };
  const { text, complaints } = contract.restore(content, { wrapped });
  if (complaints !== undefined) return { complaints };
  const texts = content.filter(({ type }) => type === "text");
  if (texts.length === 1 && text === trimBlanks(String(texts[0]?.text))) return { content };
  const last = texts.at(-1);
  return {
    content: content.flatMap((block) =>
      block === last ? [{ type: "text", text }] : block.type === "text" ? [] : [block]
    ),
  };
}

/** Removes text that is not valid from an answer with tool calls: clients parse each text block as the value. */
function withValidText(
  content: ResponseBlock[],
  contract: OutputContract,
  wrapped: boolean,
): ResponseBlock[] {
  const budget = new StepBudget();
  const kept = content.flatMap((block): ResponseBlock[] => {
    if (block.type !== "text") return [block];
    const { text } = contract.restore([block], { wrapped, budget });
    if (text === undefined) return [];
    return text === trimBlanks(String(block.text)) ? [block] : [{ type: "text", text }];
  });
  return kept.length === content.length && kept.every((block, at) => block === content[at]) ? content : kept;
}
