import type { RedactedThinkingBlock, ThinkingBlock } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
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
  const kept = details.filter((detail) => acceptsDetail(detail, context));
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

function acceptsDetail(detail: JsonObject, { features, model }: ChatContext): boolean {
  switch (detail.field) {
    case undefined:
      return features.reasoningDetails && !lacksSignature(detail, model);
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
 * Removes details that are already in the request, and adds the keys of the others to `sent`. OpenRouter rejects
 * duplicates.
 *
 * Source: https://github.com/OpenRouterTeam/ai-sdk-provider, reasoning-details-duplicate-tracker.ts
 */
export function withoutDuplicates(details: readonly JsonObject[], sent: Set<unknown>): JsonObject[] {
  return details.filter((detail) => {
    const key = detailKey(detail);
    if (key === undefined) return true;
    const repeated = sent.has(key);
    sent.add(key);
    return !repeated;
  });
}

/** Returns the key by which duplicates are found, or undefined if the detail cannot be a duplicate. */
function detailKey({ type, text, summary, data, id, signature }: JsonObject): unknown {
  switch (type) {
    case "reasoning.text":
      return text || signature || undefined;
    case "reasoning.summary":
      return summary || undefined;
    case "reasoning.encrypted":
      return id || data || undefined;
    default:
      return undefined;
  }
}
