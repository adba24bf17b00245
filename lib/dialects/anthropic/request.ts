import type { ContentBlock, Message, MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { NativeAnswerReader } from "./answer.ts";
import { withoutCacheMarks } from "./cache_control.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { isSealed } from "../sealed.ts";
import { restoreThinking } from "./thinking.ts";
import { findOwnCalls, retellOwn } from "./gateway_tools.ts";

/** Claude Code's first system block: Anthropic's own accounting, which defeats the prompt cache of anybody else. */
const BILLING = "x-anthropic-billing-header";

/**
 * What gateways behind this one may take for leave to send the request, and their key, elsewhere. Nobody who speaks
 * Anthropic's language needs it.
 */
const DETOURS = new Set([
  "api_base",
  "base_url",
  "api_key",
  "custom_llm_provider",
  "user_config",
  "extra_headers",
]);

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
 * and `safeguards`, the billing block, and whatever would lead the request elsewhere. What another model thought is
 * taken out, for a foreign signature makes the request fail, and what the gateway's own tools did is told in words.
 * Source: https://openrouter.ai/docs/api-reference/messages
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
  asked: MessagesRequest,
  context: TurnContext,
  { own, routing }: NativeFeatures,
): JsonObject {
  const request = context.cacheControl === false ? withoutCacheMarks(asked, context.loss) : asked;
  const { metadata, safeguards, system, ...rest } = request;
  for (const [field, value] of own ? [] : Object.entries(metadata ?? {})) {
    if (value !== null && value !== undefined) context.loss.add(`metadata.${field}`, "dropped");
  }
  if (safeguards !== undefined && !own) context.loss.add("safeguards", "dropped");
  return {
    // Bedrock and Google serve Claude too, without all of Anthropic's features.
    ...(routing && /^~?anthropic\//.test(context.model) && { provider: { order: ["anthropic"] } }),
    ...(routing && context.sessionId && { session_id: context.sessionId }),
    ...withoutDetours(rest, context.loss),
    ...(own && metadata !== undefined && { metadata }),
    ...(own && safeguards !== undefined && { safeguards }),
    ...(system && { system: own ? system : withoutBilling(system) }),
    model: context.model,
    stream: true,
    messages: toOwnMessages(request.messages, context),
  };
}

function withoutDetours(fields: JsonObject, loss: LossReport): JsonObject {
  const detours = Object.keys(fields).filter((name) => DETOURS.has(name));
  if (detours.length === 0) return fields;
  for (const name of detours) loss.add(name, "dropped");
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !DETOURS.has(name)));
}

function withoutBilling(system: string | ContentBlock[]): string | ContentBlock[] {
  if (typeof system === "string") return system;
  return system.filter((block) => !(block.type === "text" && block.text.startsWith(BILLING)));
}

/** Earlier answers, without what this model did not think, or the upstream neither ran nor cited. */
function toOwnMessages(messages: Message[], context: TurnContext): Message[] {
  const { loss } = context;
  const ours = findOwnCalls(messages);
  return messages.flatMap((message, at): Message[] => {
    const { role, content } = message;
    if (role !== "assistant" || typeof content === "string") return [message];
    const own = content.flatMap((block, nth) => {
      const path = `messages.${at}.content.${nth}`;
      const restored = restoreThinking(block, context);
      if (restored === undefined) loss.add(path, "dropped");
      const told = (restored ?? []).map((one) => retellOwn(one, ours));
      if (told.some((one, nth) => one !== restored?.[nth])) loss.add(path, "approximated");
      return told.map((one) => withoutOurCitations(one, path, loss));
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
