import type { ContentBlock, Message, MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { AnthropicAnswerReader } from "./answer.ts";
import { withoutCacheControl } from "./cache_control.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { isBillingBlock } from "../request/billing_block.ts";
import { isSealed } from "../sealed.ts";
import { restoreThinking } from "./thinking.ts";
import { describeGatewayCall, findGatewayCalls } from "./gateway_tools.ts";

/**
 * Fields with which a gateway behind this one may send the request, and its API key, to another address.
 *
 * Anthropic's API has none of them.
 */
const REROUTING_FIELDS = new Set([
  "api_base",
  "base_url",
  "api_key",
  "custom_llm_provider",
  "user_config",
  "extra_headers",
]);

/** Differences between upstreams with Anthropic's API. */
export interface AnthropicFeatures {
  /** True for Anthropic itself. Only Anthropic receives `metadata`, `safeguards` and the billing block. */
  isAnthropic: boolean;
  /** True if it accepts OpenRouter's `provider` and `session_id`. */
  routing: boolean;
}

/**
 * Creates the dialect of Anthropic's Messages API, which passes requests through, unknown fields included.
 *
 * It sets the model's name and `stream`. From requests to third parties it removes `metadata`, which identifies the
 * user's device, `safeguards` and the billing block. From all requests it removes fields that redirect them, citations
 * of the gateway, and the thinking of other models: a foreign signature makes the request fail. It describes the calls
 * of the gateway's tools as text.
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
    // OpenRouter's other providers of Claude, Bedrock and Google, lack some of Anthropic's features.
    ...(routing && /^~?anthropic\//.test(context.model) && { provider: { order: ["anthropic"] } }),
    ...(routing && context.sessionId && { session_id: context.sessionId }),
    ...withoutRerouting(rest, context.loss),
    ...(isAnthropic && metadata !== undefined && { metadata }),
    ...(isAnthropic && safeguards !== undefined && { safeguards }),
    ...(system && { system: isAnthropic ? system : withoutBillingBlock(system) }),
    model: context.model,
    // Anthropic's API refuses a stream for `max_tokens: 0`, which only warms the cache.
    stream: request.max_tokens > 0,
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
  return system.filter((block) => !isBillingBlock(block));
}

/** Returns the messages without other models' thinking and the gateway's citations; the gateway's calls become text. */
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

/** Removes the gateway's citations, because Anthropic rejects an `encrypted_index` that it did not create. */
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
