import type { ContentBlock, Message, MessagesRequest } from "../../anthropic/schema.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { AnthropicAnswerReader } from "./answer/reader.ts";
import { withoutCacheControl } from "./cache_control.ts";
import { toCompatibleBlocks, toCompatibleRequest } from "./compatible.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { type AnthropicFeatures, isOpenRouterClaude, sendsSafeguards } from "./features.ts";
import { withFormatInWords } from "./format.ts";
import { isBillingBlock } from "../request/billing_block.ts";
import { isSealed } from "../sealed.ts";
import { isClaude } from "../reasoning/origin.ts";
import { restoreThinking } from "./thinking.ts";
import { createGatewayBlocks } from "./gateway_tools.ts";

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

/**
 * Creates the dialect of Anthropic's Messages API, which passes requests through, unknown fields included.
 *
 * It sets the model's name and `stream`. From requests to third parties it removes `metadata`, which identifies the
 * user's device, and the billing block; `safeguards` goes only to upstreams that judge calls. From all requests it
 * removes fields that redirect them, citations of the gateway, blank text of answers, and the thinking of other models:
 * a foreign signature makes the request fail. It describes the calls of the gateway's tools as text.
 * Source: https://openrouter.ai/docs/api-reference/messages
 */
export function createAnthropicDialect(features: AnthropicFeatures): Dialect {
  return {
    name: "anthropic",
    toBody: (request, context) => toAnthropicRequest(request, context, features),
    createReader(request, context) {
      // OpenRouter translates the answers of other models, with the habits of their hosts.
      const exact = features.isAnthropic || (features.routing && isClaude(context.model));
      return new AnthropicAnswerReader(request, context, { exact });
    },
    toCountBody(request, context) {
      const { stream: _stream, max_tokens: _limit, ...body } = toAnthropicRequest(request, context, features);
      return body;
    },
  };
}

function toAnthropicRequest(
  original: MessagesRequest,
  context: TurnContext,
  features: AnthropicFeatures,
): JsonObject {
  const { isAnthropic, routing } = features;
  const cached = context.cacheControl === false ? withoutCacheControl(original, context.loss) : original;
  const isCompatible = !isAnthropic && !routing;
  const request = withFormatInWords(
    isCompatible ? toCompatibleRequest(cached, context.loss) : cached,
    context,
  );
  const { metadata, safeguards, system, ...rest } = request;
  for (const [field, value] of isAnthropic ? [] : Object.entries(metadata ?? {})) {
    if (value !== null && value !== undefined) context.loss.add(`metadata.${field}`, "dropped");
  }
  const judged = sendsSafeguards(context.model, features);
  if (safeguards !== undefined && !judged) context.loss.add("safeguards", "dropped");
  return {
    // OpenRouter's other providers of Claude, Bedrock and Google, lack some of Anthropic's features.
    ...(routing && isOpenRouterClaude(context.model) && { provider: { order: ["anthropic"] } }),
    ...(routing && context.sessionId && { session_id: context.sessionId }),
    ...withoutRerouting(rest, context.loss),
    ...(isAnthropic && metadata !== undefined && { metadata }),
    ...(judged && safeguards !== undefined && { safeguards }),
    ...(system && { system: isAnthropic ? system : withoutBillingBlock(system) }),
    model: context.model,
    // Anthropic's API refuses a stream for `max_tokens: 0`, which only warms the cache.
    stream: request.max_tokens > 0,
    messages: toUpstreamMessages(request, context, {
      isCompatible,
      toOwnBlocks: createGatewayBlocks(request, { connectsMcp: isAnthropic }),
    }),
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

/**
 * Returns the messages without other models' thinking, the gateway's citations and blank text; the gateway's calls
 * become text. For a compatible host, so do the blocks that it does not know.
 */
function toUpstreamMessages(
  { messages }: MessagesRequest,
  context: TurnContext,
  { isCompatible, toOwnBlocks }: {
    isCompatible: boolean;
    toOwnBlocks: (block: ContentBlock) => ContentBlock[];
  },
): Message[] {
  const { loss } = context;
  const convert = (block: ContentBlock, path: string) =>
    isCompatible ? toCompatibleBlocks(block, path, loss) : [block];
  const toAnswerBlocks = (block: ContentBlock, path: string): ContentBlock[] => {
    const restored = isBlank(block) ? undefined : restoreThinking(block, context);
    if (restored === undefined) loss.add(path, "dropped");
    const described = (restored ?? []).flatMap(toOwnBlocks);
    if (described.length < (restored?.length ?? 0)) loss.add(path, "dropped");
    else if (described.some((one, nth) => one !== restored?.[nth])) loss.add(path, "approximated");
    return described.flatMap((one) => convert(withoutGatewayCitations(one, path, loss), path));
  };
  return messages.flatMap((message, at): Message[] => {
    const { role, content } = message;
    const path = `messages.${at}.content`;
    // A message without content carries only settings, which such a host does not know.
    if (isCompatible && role === "system" && content.length === 0) return [];
    if (typeof content === "string") {
      if (role !== "assistant" || content.trim() !== "") return [message];
      loss.add(path, "dropped");
      return [];
    }
    const toBlocks = role === "assistant" ? toAnswerBlocks : convert;
    const kept = content.flatMap((block, nth) => toBlocks(block, `${path}.${nth}`));
    if (isCompatible && kept.length === 0) return [];
    if (kept.length === content.length && kept.every((block, nth) => block === content[nth])) {
      return [message];
    }
    return kept.length === 0 ? [] : [{ ...message, content: kept }];
  });
}

/** True for blank text, which Anthropic's API rejects. Models of other hosts may answer with it. */
function isBlank(block: ContentBlock): boolean {
  return block.type === "text" && block.text.trim() === "";
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
