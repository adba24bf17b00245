import type { ContentBlock, Message, MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { AnthropicAnswerReader } from "./answer.ts";
import { withoutCacheControl } from "./cache_control.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { isSealed } from "../sealed.ts";
import { restoreThinking } from "./thinking.ts";
import { describeGatewayCall, findGatewayCalls } from "./gateway_tools.ts";

/** Claude Code's first system block: Anthropic's own accounting, which defeats the prompt cache of anybody else. */
const BILLING_HEADER = "x-anthropic-billing-header";

/**
 * What gateways behind this one may take for leave to send the request, and their key, elsewhere. Nobody who speaks
 * Anthropic's language needs it.
 */
const REROUTING_FIELDS = new Set([
  "api_base",
  "base_url",
  "api_key",
  "custom_llm_provider",
  "user_config",
  "extra_headers",
]);

/** What sets one speaker of Anthropic's language apart from another. */
export interface AnthropicFeatures {
  /** Whether it is Anthropic itself: the user's device, `safeguards` and the billing block are its business alone. */
  isAnthropic: boolean;
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
export function createAnthropicDialect(features: AnthropicFeatures): Dialect {
  return {
    name: "anthropic",
    path: "/messages",
    toBody: (request, context) => toAnthropicRequest(request, context, features),
    createReader: (request, context) => new AnthropicAnswerReader(request, context),
  };
}

function toAnthropicRequest(
  original: MessagesRequest,
  context: TurnContext,
  { isAnthropic, routing }: AnthropicFeatures,
): JsonObject {
  const request = context.cacheControl === false ? withoutCacheControl(original, context.loss) : original;
  const { metadata, safeguards, system, ...rest } = request;
  for (const [field, value] of isAnthropic ? [] : Object.entries(metadata ?? {})) {
    if (value !== null && value !== undefined) context.loss.add(`metadata.${field}`, "dropped");
  }
  if (safeguards !== undefined && !isAnthropic) context.loss.add("safeguards", "dropped");
  return {
    // Bedrock and Google serve Claude too, without all of Anthropic's features.
    ...(routing && /^~?anthropic\//.test(context.model) && { provider: { order: ["anthropic"] } }),
    ...(routing && context.sessionId && { session_id: context.sessionId }),
    ...withoutRerouting(rest, context.loss),
    ...(isAnthropic && metadata !== undefined && { metadata }),
    ...(isAnthropic && safeguards !== undefined && { safeguards }),
    ...(system && { system: isAnthropic ? system : withoutBillingBlock(system) }),
    model: context.model,
    stream: true,
    messages: toUpstreamMessages(request.messages, context),
  };
}

function withoutRerouting(fields: JsonObject, loss: LossReport): JsonObject {
  const rerouting = Object.keys(fields).filter((name) => REROUTING_FIELDS.has(name));
  if (rerouting.length === 0) return fields;
  for (const name of rerouting) loss.add(name, "dropped");
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !REROUTING_FIELDS.has(name)));
}

function withoutBillingBlock(system: string | ContentBlock[]): string | ContentBlock[] {
  if (typeof system === "string") return system;
  return system.filter((block) => !(block.type === "text" && block.text.startsWith(BILLING_HEADER)));
}

/** Earlier answers, without what this model did not think, or the upstream neither ran nor cited. */
function toUpstreamMessages(messages: Message[], context: TurnContext): Message[] {
  const { loss } = context;
  const gatewayCalls = findGatewayCalls(messages);
  return messages.flatMap((message, at): Message[] => {
    const { role, content } = message;
    if (role !== "assistant" || typeof content === "string") return [message];
    const kept = content.flatMap((block, nth) => {
      const path = `messages.${at}.content.${nth}`;
      const restored = restoreThinking(block, context);
      if (restored === undefined) loss.add(path, "dropped");
      const described = (restored ?? []).map((one) => describeGatewayCall(one, gatewayCalls));
      if (described.some((one, nth) => one !== restored?.[nth])) loss.add(path, "approximated");
      return described.map((one) => withoutGatewayCitations(one, path, loss));
    });
    if (kept.length === content.length && kept.every((block, nth) => block === content[nth])) {
      return [message];
    }
    return kept.length === 0 ? [] : [{ ...message, content: kept }];
  });
}

/** Anthropic refuses an index that it did not give: those of citations that the gateway made itself. */
function withoutGatewayCitations(block: ContentBlock, path: string, loss: LossReport): ContentBlock {
  if (block.type !== "text" || !Array.isArray(block.citations)) return block;
  const { citations, ...rest } = block;
  const kept = citations.filter((citation) => !isGatewayCitation(citation));
  if (kept.length === citations.length) return block;
  loss.add(`${path}.citations`, "dropped");
  return kept.length === 0 ? rest : { ...rest, citations: kept };
}

function isGatewayCitation(citation: unknown): boolean {
  return isObject(citation) && typeof citation.encrypted_index === "string" &&
    isSealed(citation.encrypted_index);
}
