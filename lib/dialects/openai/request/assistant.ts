import type { Content } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { GEMINI_FORMAT } from "../../reasoning/origin.ts";
import { toUpstreamToolId } from "../../tool_id.ts";
import { append } from "./append.ts";
import { type ChatContext, type ChatMessage, type ChatPart, reportCitations, toTextPart } from "../chat.ts";
import { locateBlock, type Place } from "../../request/located_block.ts";
import { isFresh, restoreReasoning } from "./earlier_reasoning.ts";
import { describeServerTool } from "../../server_tool_text.ts";

type AssistantPart = Extract<ChatPart, { type: "text" | "thinking" }>;

/** Converts an earlier answer to one message with text, reasoning and tool calls. */
export function toAssistantMessage(
  content: Content,
  place: Place,
  context: ChatContext,
): ChatMessage | undefined {
  if (typeof content === "string") {
    return { role: "assistant", content, ...completeReasoning(NO_FIELDS, NONE, context) };
  }
  let parts: AssistantPart[] | undefined;
  let calls: JsonObject[] | undefined;
  let thoughts: EarlierThought[] | undefined;
  for (let nth = 0; nth < content.length; nth++) {
    const block = content[nth];
    if (block === undefined) continue;
    const located = locateBlock(block, place, nth);
    const keepsCacheControl = block.type === "text" && block.text !== "" && context.features.cacheControl;
    if ("cache_control" in block && block.cache_control && !keepsCacheControl) {
      context.loss.add(`${located.path}.cache_control`, "dropped");
    }
    switch (block.type) {
      case "text":
        if (block.text !== "") parts = append(parts, toTextPart(block.text, block, context));
        if (block.citations) reportCitations(block, located.path, context);
        break;
      case "tool_use":
        calls = append<JsonObject>(calls, {
          id: toUpstreamToolId(block.id, context.features.callIds),
          type: "function",
          function: {
            name: context.names.rename(block.name, () => `${located.path}.name`, context.loss),
            arguments: JSON.stringify(block.input),
          },
        });
        break;
      case "thinking":
      case "redacted_thinking": {
        const { details, lost } = restoreReasoning(block, context);
        const { path } = located;
        if (lost) context.loss.add(path, "dropped");
        else if (details.length === 0) thoughts = append(thoughts, { path, detail: undefined });
        for (const detail of details) {
          thoughts = append(thoughts, { path, detail });
          for (const part of reasoningParts(detail)) parts = append(parts, part);
        }
        break;
      }
      default: {
        const description = describeServerTool(block);
        context.loss.add(located.path, description === undefined ? "dropped" : "approximated");
        if (description !== undefined) {
          const text = `${parts === undefined ? "" : "\n"}${description}\n`;
          parts = append<AssistantPart>(parts, { type: "text", text });
        }
      }
    }
  }
  if (thoughts !== undefined) signCalls(calls ?? NONE, thoughts, context);
  const fields = thoughts === undefined ? NO_FIELDS : toReasoningFields(thoughts, context);
  const reasoning = completeReasoning(fields, calls ?? NONE, context);
  const text = parts === undefined && calls !== undefined ? null : joinText(parts ?? NONE);
  const message: ChatMessage = calls === undefined
    ? { role: "assistant", content: text }
    : { role: "assistant", content: text, tool_calls: calls };
  if (reasoning !== NO_FIELDS) Object.assign(message, reasoning);
  const isEmpty = text === "" &&
    Object.values(reasoning).every((value) => value === EMPTY_REASONING || isEmptyList(value));
  return isEmpty ? undefined : message;
}

const NONE: readonly never[] = [];
const NO_FIELDS: Readonly<JsonObject> = {};

/** A thinking block's detail and path. `detail` is undefined if the upstream sent an empty list of reasoning. */
interface EarlierThought {
  path: string;
  detail: JsonObject | undefined;
}

/** Joins the parts to plain text if possible, because not every host accepts parts here. */
function joinText(parts: readonly AssistantPart[]): string | readonly AssistantPart[] {
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
function signCalls(
  calls: readonly JsonObject[],
  thoughts: readonly EarlierThought[],
  { loss }: ChatContext,
): void {
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
function completeReasoning(
  fields: Readonly<JsonObject>,
  calls: readonly JsonObject[],
  { features }: ChatContext,
): Readonly<JsonObject> {
  const [first] = calls;
  const details = Array.isArray(fields.reasoning_details) ? fields.reasoning_details : NONE;
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
