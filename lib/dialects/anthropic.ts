import type { ContentBlock, Message, MessagesRequest } from "../anthropic/schema.ts";
import { isObject, type JsonObject } from "../json.ts";
import type { LossReport } from "../loss.ts";
import { NativeAnswerReader } from "./anthropic_answer.ts";
import type { Dialect, TurnContext } from "./dialect.ts";
import { isSealed } from "./envelope.ts";
import { restoreThinking } from "./native_thinking.ts";

/** Claude Code's first system block: Anthropic's own accounting, which defeats the prompt cache of anybody else. */
const BILLING = "x-anthropic-billing-header";

/**
 * Anthropic's own language, passed through: whatever the client says travels on, known here or not.
 *
 * Changed are only the model's name, `stream`, and what is no third party's business: the user's device in `metadata`
 * and `safeguards`, and the billing block. What another model thought is taken out, for a foreign signature makes the
 * request fail. Source: https://openrouter.ai/docs/api-reference/messages
 */
export const anthropic: Dialect = {
  name: "anthropic",
  path: "/messages",
  toBody: toNativeRequest,
  createReader: (request, context) => new NativeAnswerReader(request, context),
};

function toNativeRequest(request: MessagesRequest, context: TurnContext): JsonObject {
  const { metadata, safeguards, system, ...rest } = request;
  if (metadata?.user_id) context.loss.add("metadata.user_id", "dropped");
  if (safeguards !== undefined) context.loss.add("safeguards", "dropped");
  return {
    // Bedrock and Google serve Claude too, without all of Anthropic's features.
    ...(/^~?anthropic\//.test(context.model) && { provider: { order: ["anthropic"] } }),
    ...(context.sessionId && { session_id: context.sessionId }),
    ...rest,
    ...(system && { system: withoutBilling(system) }),
    model: context.model,
    stream: true,
    messages: toOwnMessages(request.messages, context),
  };
}

function withoutBilling(system: string | ContentBlock[]): string | ContentBlock[] {
  if (typeof system === "string") return system;
  return system.filter((block) => !(block.type === "text" && block.text.startsWith(BILLING)));
}

/** Earlier answers, without what this model did not think or the upstream did not cite. */
function toOwnMessages(messages: Message[], { model, loss }: TurnContext): Message[] {
  return messages.flatMap((message, at): Message[] => {
    const { role, content } = message;
    if (role !== "assistant" || typeof content === "string") return [message];
    const own = content.flatMap((block, nth) => {
      const path = `messages.${at}.content.${nth}`;
      const restored = restoreThinking(block, model);
      if (restored === undefined) loss.add(path, "dropped");
      return (restored ?? []).map((one) => withoutOurCitations(one, path, loss));
    });
    if (own.length === content.length && own.every((block, nth) => block === content[nth])) return [message];
    return own.length === 0 ? [] : [{ ...message, content: own }];
  });
}

/** Anthropic refuses an index that it did not give: those of citations that the gateway made itself. */
function withoutOurCitations(block: ContentBlock, path: string, loss: LossReport): ContentBlock {
  if (block.type !== "text" || !Array.isArray(block.citations)) return block;
  const { citations, ...rest } = block;
  const own = citations.filter((citation) => !isOurs(citation));
  if (own.length === citations.length) return block;
  loss.add(`${path}.citations`, "dropped");
  return own.length === 0 ? rest : { ...rest, citations: own };
}

function isOurs(citation: unknown): boolean {
  return isObject(citation) && typeof citation.encrypted_index === "string" &&
    isSealed(citation.encrypted_index);
}
