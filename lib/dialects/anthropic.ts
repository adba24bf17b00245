import type { ContentBlock, Message, MessagesRequest } from "../anthropic/schema.ts";
import type { JsonObject } from "../json.ts";
import { NativeAnswerReader } from "./anthropic_answer.ts";
import type { Dialect, TurnContext } from "./dialect.ts";
import { isSealed } from "./envelope.ts";

/** Claude Code's first system block: Anthropic's own accounting, which defeats the prompt cache of anybody else. */
const BILLING = "x-anthropic-billing-header";

/** What sets one speaker of Anthropic's language apart from another. */
export interface NativeFeatures {
  /** Whether it is Anthropic itself: the user's device, `safeguards` and the billing block are its business alone. */
  own: boolean;
  /** Whether it takes OpenRouter's `provider` and `session_id`. */
  routing: boolean;
}

/**
 * Anthropic's own language, passed through: whatever the client says travels on, known here or not.
 *
 * Changed are only the model's name, `stream`, and what is no third party's business: the user's device in `metadata`
 * and `safeguards`, and the billing block. Reasoning of other models is taken out, for Anthropic refuses foreign
 * signatures. Source: https://openrouter.ai/docs/api-reference/messages
 */
export function createAnthropicDialect(features: NativeFeatures): Dialect {
  return {
    name: "anthropic",
    path: "/messages",
    toBody: (request, context) => toNativeRequest(request, context, features),
    createReader: (request, context) => new NativeAnswerReader(request, context),
  };
}

function toNativeRequest(
  request: MessagesRequest,
  context: TurnContext,
  { own, routing }: NativeFeatures,
): JsonObject {
  const { metadata, safeguards, system, ...rest } = request;
  if (metadata?.user_id && !own) context.loss.add("metadata.user_id", "dropped");
  if (safeguards !== undefined && !own) context.loss.add("safeguards", "dropped");
  return {
    // Bedrock and Google serve Claude too, without all of Anthropic's features.
    ...(routing && /^~?anthropic\//.test(context.model) && { provider: { order: ["anthropic"] } }),
    ...(routing && context.sessionId && { session_id: context.sessionId }),
    ...rest,
    ...(own && metadata !== undefined && { metadata }),
    ...(own && safeguards !== undefined && { safeguards }),
    ...(system && { system: own ? system : withoutBilling(system) }),
    model: context.model,
    stream: true,
    messages: withoutForeignThinking(request.messages, context),
  };
}

function withoutBilling(system: string | ContentBlock[]): string | ContentBlock[] {
  if (typeof system === "string") return system;
  return system.filter((block) => !(block.type === "text" && block.text.startsWith(BILLING)));
}

function withoutForeignThinking(messages: Message[], { loss }: TurnContext): Message[] {
  return messages.flatMap((message, at): Message[] => {
    const { role, content } = message;
    if (role !== "assistant" || typeof content === "string") return [message];
    const own = content.filter((block, index) => {
      const foreign = isForeignThinking(block);
      if (foreign) loss.add(`messages.${at}.content.${index}`, "dropped");
      return !foreign;
    });
    if (own.length === content.length) return [message];
    return own.length === 0 ? [] : [{ ...message, content: own }];
  });
}

/** Thinking that Anthropic did not sign. */
function isForeignThinking(block: ContentBlock): boolean {
  if (block.type === "thinking") return !block.signature || isSealed(block.signature);
  return block.type === "redacted_thinking" && isSealed(block.data);
}
