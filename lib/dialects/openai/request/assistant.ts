import type { Content } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { GEMINI_FORMAT } from "../../reasoning/origin.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import {
  cacheControlOf,
  type ChatContext,
  type ChatMessage,
  type ChatPart,
  reportCitations,
} from "../chat.ts";
import { isFresh, restoreReasoning } from "./earlier_reasoning.ts";
import { describeServerTool } from "../../server_tool_text.ts";

type AssistantPart = Extract<ChatPart, { type: "text" | "thinking" }>;

/** Converts an earlier answer to one message with text, reasoning and tool calls. */
export function toAssistantMessage(
  content: Content,
  path: string,
  context: ChatContext,
): ChatMessage | undefined {
  if (typeof content === "string") {
    return { role: "assistant", content, ...completeReasoning({}, [], context) };
  }
  const parts: AssistantPart[] = [];
  const calls: JsonObject[] = [];
  const thoughts: EarlierThought[] = [];
  content.forEach((block, nth) => {
    const blockPath = `${path}.${nth}`;
    const keepsCacheControl = block.type === "text" && block.text !== "" && context.features.cacheControl;
    if ("cache_control" in block && block.cache_control && !keepsCacheControl) {
      context.loss.add(`${blockPath}.cache_control`, "dropped");
    }
    switch (block.type) {
      case "text":
        if (block.text !== "") {
          parts.push({ type: "text", text: block.text, ...cacheControlOf(block, context) });
        }
        reportCitations(block, blockPath, context);
        return;
      case "tool_use":
        calls.push({
          id: toUpstreamToolId(block.id, context.features.callIds),
          type: "function",
          function: {
            name: context.names.rename(block.name, `${blockPath}.name`, context.loss),
            arguments: JSON.stringify(block.input),
          },
        });
        return;
      case "thinking":
      case "redacted_thinking": {
        const { details, lost } = restoreReasoning(block, context);
        if (lost) context.loss.add(blockPath, "dropped");
        else if (details.length === 0) thoughts.push({ path: blockPath, detail: undefined });
        for (const detail of details) {
          thoughts.push({ path: blockPath, detail });
          parts.push(...reasoningParts(detail));
        }
        return;
      }
      default: {
        const description = describeServerTool(block);
        context.loss.add(blockPath, description === undefined ? "dropped" : "approximated");
        if (description !== undefined) {
          parts.push({ type: "text", text: `${parts.length === 0 ? "" : "\n"}${description}\n` });
        }
      }
    }
  });
  signCalls(calls, thoughts, context);
  const reasoning = completeReasoning(toReasoningFields(thoughts, context), calls, context);
  const message: ChatMessage = {
    role: "assistant",
    content: parts.length === 0 && calls.length > 0 ? null : joinText(parts),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...reasoning,
  };
  const isEmpty = message.content === "" &&
    Object.values(reasoning).every((value) => value === EMPTY_REASONING || isEmptyList(value));
  return isEmpty ? undefined : message;
}

/** A thinking block's detail and path. `detail` is undefined if the upstream sent an empty list of reasoning. */
interface EarlierThought {
  path: string;
  detail: JsonObject | undefined;
}

/** Joins the parts to plain text if possible, because not every host accepts parts here. */
function joinText(parts: AssistantPart[]): string | AssistantPart[] {
  let joined = "";
  for (const part of parts) {
    if (part.type !== "text" || part.cache_control) return parts;
    joined += part.text;
  }
  return joined;
}

/** Returns reasoning that arrived inside the content as parts of the content. */
function reasoningParts({ field, text }: JsonObject): AssistantPart[] {
  if (typeof text !== "string") return [];
  if (field === "tags") return [{ type: "text", text }];
  return field === "content" ? [{ type: "thinking", thinking: [{ type: "text", text }] }] : [];
}

/** Adds signatures to their calls. Reports a signature as dropped if the client removed its call. */
function signCalls(calls: JsonObject[], thoughts: readonly EarlierThought[], { loss }: ChatContext): void {
  for (const { detail, path } of thoughts) {
    if (detail?.field !== "thought_signature") continue;
    // Some hosts use one id for several calls: each call gets the next signature.
    const call = calls.find(({ id, extra_content }) => id === detail.id && extra_content === undefined);
    if (call) call.extra_content = { google: { thought_signature: detail.signature } };
    else loss.add(path, "dropped");
  }
}

/**
 * Google's placeholder signature for calls of other models.
 *
 * Source: https://ai.google.dev/gemini-api/docs/thought-signatures
 */
const SKIP_SIGNATURE = "skip_thought_signature_validator";
/** Sent for missing reasoning. Not every model accepts an empty text. */
const EMPTY_REASONING = " ";

/** Adds the placeholders that a model requires in answers of other models. */
function completeReasoning(fields: JsonObject, calls: JsonObject[], { features }: ChatContext): JsonObject {
  const [first] = calls;
  const details = Array.isArray(fields.reasoning_details) ? fields.reasoning_details : [];
  if (
    features.needsSignedCalls && first &&
    calls.every(({ extra_content }) => extra_content === undefined)
  ) {
    if (features.thoughtSignatures) first.extra_content = { google: { thought_signature: SKIP_SIGNATURE } };
    else if (features.reasoningDetails && !details.some(({ type }) => type === "reasoning.encrypted")) {
      const unsigned = {
        type: "reasoning.encrypted",
        data: SKIP_SIGNATURE,
        id: first.id,
        format: GEMINI_FORMAT,
        index: 0,
      };
      return { ...fields, reasoning_details: [...details, unsigned] };
    }
  }
  const needsContent = features.reasoningContent === "always" ||
    (features.reasoningContent === "with calls" && first !== undefined);
  return needsContent && Object.keys(fields).length === 0 ? { reasoning_content: EMPTY_REASONING } : fields;
}

function isEmptyList(value: unknown): boolean {
  return Array.isArray(value) && value.length === 0;
}

/** Collects reasoning that arrived in separate fields, each under its field. */
function toReasoningFields(
  thoughts: readonly EarlierThought[],
  { sentReasoning, loss }: ChatContext,
): JsonObject {
  const fields: JsonObject = {};
  if (thoughts.length === 0) return fields;
  for (const field of ["reasoning", "reasoning_content"]) {
    const texts = thoughts.flatMap(({ detail }) => detail?.field === field ? [detail.text] : []);
    if (texts.length > 0) fields[field] = texts.join("");
  }
  const separate = thoughts.flatMap(({ detail, path }) =>
    detail && detail.field === undefined ? [{ detail, path }] : []
  );
  const fresh = separate.filter(({ detail, path }) =>
    isFresh(detail, sentReasoning, () => loss.add(path, "dropped"))
  ).map(({ detail }) => detail);
  // DeepSeek requires even an empty list back.
  const empty = separate.length === 0 && thoughts.some(({ detail }) => detail === undefined);
  return fresh.length > 0 || empty ? { ...fields, reasoning_details: fresh } : fields;
}
