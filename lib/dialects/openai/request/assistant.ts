import type { Content } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { GEMINI_FORMAT } from "../../reasoning/origin.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import {
  type ChatContext,
  type ChatMessage,
  type ChatPart,
  reportCitations,
  toCacheControl,
} from "../chat.ts";
import { openThinking, withoutRepeated } from "./earlier_reasoning.ts";
import { retell } from "../../server_tool_text.ts";

type SaidPart = Extract<ChatPart, { type: "text" | "thinking" }>;

/** Says what the model said earlier: text, reasoning and tool calls are one message. */
export function toAssistantMessage(content: Content, path: string, context: ChatContext): ChatMessage[] {
  if (typeof content === "string") {
    return [{ role: "assistant", content, ...completeReasoning({}, [], context) }];
  }
  const parts: SaidPart[] = [];
  const calls: JsonObject[] = [];
  const thoughts: Thought[] = [];
  content.forEach((block, nth) => {
    const at = `${path}.${nth}`;
    const marks = block.type === "text" && block.text !== "" && context.features.cacheControl;
    if ("cache_control" in block && block.cache_control && !marks) {
      context.loss.add(`${at}.cache_control`, "dropped");
    }
    switch (block.type) {
      case "text":
        if (block.text !== "") {
          parts.push({ type: "text", text: block.text, ...toCacheControl(block, context) });
        }
        reportCitations(block, at, context);
        return;
      case "tool_use":
        calls.push({
          id: toUpstreamToolId(block.id, context.features.callIds),
          type: "function",
          function: {
            name: context.names.say(block.name, `${at}.name`, context.loss),
            arguments: JSON.stringify(block.input),
          },
        });
        return;
      case "thinking":
      case "redacted_thinking": {
        const { details, lost } = openThinking(block, context);
        if (lost) context.loss.add(at, "dropped");
        else if (details.length === 0) thoughts.push({ path: at, detail: undefined });
        for (const detail of details) {
          thoughts.push({ path: at, detail });
          parts.push(...toParts(detail));
        }
        return;
      }
      default: {
        const told = retell(block);
        context.loss.add(at, told === undefined ? "dropped" : "approximated");
        if (told !== undefined) {
          parts.push({ type: "text", text: `${parts.length === 0 ? "" : "\n"}${told}\n` });
        }
      }
    }
  });
  signCalls(calls, thoughts, context);
  const reasoning = completeReasoning(toReasoningFields(thoughts, context), calls, context);
  const message: ChatMessage = {
    role: "assistant",
    content: parts.length === 0 && calls.length > 0 ? null : toText(parts),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...reasoning,
  };
  const silent = Object.values(reasoning).every((said) => said === NOTHING || isEmpty(said));
  return message.content === "" && silent ? [] : [message];
}

/** Something the model thought, and where it stands; no detail means that it said it had thought of nothing. */
interface Thought {
  path: string;
  detail: JsonObject | undefined;
}

/** Plain text where it can be: not every host takes parts here. */
function toText(parts: SaidPart[]): string | SaidPart[] {
  const texts = parts.map((part) => part.type === "text" && !part.cache_control ? part.text : undefined);
  return texts.every((text) => text !== undefined) ? texts.join("") : parts;
}

/** Reasoning that came inside the content goes back there. */
function toParts({ field, text }: JsonObject): SaidPart[] {
  if (typeof text !== "string") return [];
  if (field === "tags") return [{ type: "text", text }];
  return field === "content" ? [{ type: "thinking", thinking: [{ type: "text", text }] }] : [];
}

/** A call's signature goes back to that call; where the client has taken the call out, it is lost with it. */
function signCalls(calls: JsonObject[], thoughts: readonly Thought[], { loss }: ChatContext): void {
  for (const { detail, path } of thoughts) {
    if (detail?.field !== "thought_signature") continue;
    // Some hosts call several calls by one id: each takes the next signature.
    const call = calls.find(({ id, extra_content }) => id === detail.id && extra_content === undefined);
    if (call) call.extra_content = { google: { thought_signature: detail.signature } };
    else loss.add(path, "dropped");
  }
}

/**
 * What Google documents for a call that another model made.
 *
 * Source: https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const UNSIGNED = "skip_thought_signature_validator";
/** There was no reasoning: not every model takes an empty text for that. */
const NOTHING = " ";

/** Adds what a model insists on of an answer that another one gave. */
function completeReasoning(fields: JsonObject, calls: JsonObject[], { features }: ChatContext): JsonObject {
  const [first] = calls;
  const details = Array.isArray(fields.reasoning_details) ? fields.reasoning_details : [];
  if (features.signedCalls && first && calls.every(({ extra_content }) => extra_content === undefined)) {
    if (features.thoughtSignatures) first.extra_content = { google: { thought_signature: UNSIGNED } };
    else if (features.reasoningDetails && !details.some(({ type }) => type === "reasoning.encrypted")) {
      const unsigned = {
        type: "reasoning.encrypted",
        data: UNSIGNED,
        id: first.id,
        format: GEMINI_FORMAT,
        index: 0,
      };
      return { ...fields, reasoning_details: [...details, unsigned] };
    }
  }
  const wanted = features.reasoningContent === "of all" ||
    (features.reasoningContent === "of calls" && first !== undefined);
  return wanted && Object.keys(fields).length === 0 ? { reasoning_content: NOTHING } : fields;
}

function isEmpty(said: unknown): boolean {
  return Array.isArray(said) && said.length === 0;
}

/** Reasoning that came in a field of its own goes back in that field. */
function toReasoningFields(thoughts: readonly Thought[], { told }: ChatContext): JsonObject {
  const fields: JsonObject = {};
  for (const field of ["reasoning", "reasoning_content"]) {
    const texts = thoughts.flatMap(({ detail }) => detail?.field === field ? [detail.text] : []);
    if (texts.length > 0) fields[field] = texts.join("");
  }
  const details = thoughts.flatMap(({ detail }) => detail && detail.field === undefined ? [detail] : []);
  const fresh = withoutRepeated(details, told);
  // DeepSeek wants even an empty list back.
  const empty = details.length === 0 && thoughts.some(({ detail }) => detail === undefined);
  return fresh.length > 0 || empty ? { ...fields, reasoning_details: fresh } : fields;
}
