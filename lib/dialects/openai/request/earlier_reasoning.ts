import type { RedactedThinkingBlock, ThinkingBlock } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { textKey } from "../../../base/hash/text_key.ts";
import { isSealed, unseal } from "../../sealed.ts";
import { isOpenRouterReasoning, readOpenRouterReasoning } from "../../reasoning/openrouter.ts";
import {
  belongsToModel,
  CLAUDE_FORMAT,
  isClaude,
  lacksSignature,
  needsSignature,
} from "../../reasoning/origin.ts";
import type { ChatContext } from "../chat.ts";

/** Reasoning of an earlier answer that model and host accept. */
export interface EarlierReasoning {
  details: JsonObject[];
  /** True if any of the reasoning was left out. */
  lost: boolean;
}

/**
 * Reads the reasoning details from a thinking block for the model of this turn.
 *
 * Reasoning of another model is left out, and so is reasoning that lacks a signature the model requires. Either would
 * make the request fail.
 */
export function restoreReasoning(
  block: ThinkingBlock | RedactedThinkingBlock,
  context: ChatContext,
): EarlierReasoning {
  const details = context.dropThinking ? undefined : detailsOf(block, context);
  if (details === undefined) return { details: [], lost: true };
  const sealed = block.type === "thinking" ? block.signature : block.data;
  const isOwn = sealed !== undefined && isSealed(sealed);
  const kept = details.filter((detail) => acceptsDetail(detail, { ...context, isOwn }));
  const lost = kept.length < details.length || (details.length === 0 && !context.features.reasoningDetails);
  return { details: kept, lost };
}

function detailsOf(
  block: ThinkingBlock | RedactedThinkingBlock,
  { model, origin }: ChatContext,
): JsonObject[] | undefined {
  const sealed = block.type === "thinking" ? block.signature : block.data;
  if (!sealed) return undefined;
  if (isSealed(sealed)) return unseal(sealed, origin)?.map(unwrapDetail);
  if (isOpenRouterReasoning(sealed)) {
    const detail = readOpenRouterReasoning(sealed);
    return detail && belongsToModel(detail, model) ? [detail] : undefined;
  }
  if (!isClaude(model)) return undefined;
  return block.type === "thinking"
    ? [{ type: "reasoning.text", text: block.thinking, signature: sealed, format: CLAUDE_FORMAT }]
    : [{ type: "reasoning.encrypted", data: sealed, format: CLAUDE_FORMAT }];
}

/** Returns the detail that OpenRouter's Anthropic endpoint put into `redacted_thinking`; it is valid here too. */
function unwrapDetail(detail: JsonObject): JsonObject {
  const { field, data } = detail;
  return field === "redacted_thinking" && isOpenRouterReasoning(data)
    ? readOpenRouterReasoning(data) ?? detail
    : detail;
}

/** `isOwn` is true for a detail that this host and model sent: it accepts the same form back. */
function acceptsDetail(
  detail: JsonObject,
  { features, model, isOwn }: ChatContext & { isOwn: boolean },
): boolean {
  switch (detail.field) {
    case undefined:
      return (features.reasoningDetails || isOwn) && !lacksSignature(detail, model);
    case "reasoning":
    case "reasoning_content":
      return !needsSignature(model);
    case "content":
    case "tags":
      return true;
    case "thought_signature":
      return features.thoughtSignatures;
    default:
      return false;
  }
}

/**
 * True if a detail may be added to a request; adds it to `sent`. OpenRouter rejects duplicates.
 *
 * `onLoss` is called for a detail that is no copy, but has the id of an earlier one, which OpenAI rejects.
 * Source: https://github.com/OpenRouterTeam/ai-sdk-provider, reasoning-details-duplicate-tracker.ts
 */
export function isFresh(detail: JsonObject, sent: Set<unknown>, onLoss: () => void): boolean {
  const { type, text, summary, data, id, signature } = detail;
  if (!(text || summary || data || id || signature)) return true;
  const key = textKey(JSON.stringify([type, text, summary, data, id, signature]));
  if (sent.has(key)) return false;
  sent.add(key);
  if (type !== "reasoning.encrypted" || !id) return true;
  const idKey = textKey(`id ${String(id)}`);
  if (sent.has(idKey)) {
    onLoss();
    return false;
  }
  sent.add(idKey);
  return true;
}
