import type { RedactedThinkingBlock, ThinkingBlock } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { unseal } from "../../sealed.ts";
import { type InputItem, type ResponsesContext, SEALED_FIELD } from "../responses.ts";

/** Items that a thinking block of an earlier answer restores. */
export interface EarlierReasoning {
  items: InputItem[];
  /** True if any of the reasoning was left out. */
  lost: boolean;
}

/**
 * Reads the reasoning items that were sealed into a thinking block.
 *
 * Reasoning of another model or upstream is left out: the host cannot decrypt it, and would reject the request.
 * Reasoning of which only a summary exists is left out too, because the host looks it up by its ID, and nothing is
 * stored.
 */
export function restoreReasoning(
  block: ThinkingBlock | RedactedThinkingBlock,
  { origin, dropThinking }: ResponsesContext,
): EarlierReasoning {
  const sealed = block.type === "thinking" ? block.signature : block.data;
  const details = sealed ? unseal(sealed, origin) : undefined;
  if (details === undefined) return { items: [], lost: true };
  const items = details.flatMap((detail) => toItem(detail, dropThinking === true));
  return { items, lost: items.length < details.length };
}

function toItem({ field, type, ...rest }: JsonObject, dropThinking: boolean): InputItem[] {
  if (field !== SEALED_FIELD) return [];
  if (type === "compaction") return [{ ...rest, type }];
  if (type !== "reasoning" || dropThinking) return [];
  const hasContent = Array.isArray(rest.content) && rest.content.length > 0;
  return rest.encrypted_content || hasContent ? [{ ...rest, type }] : [];
}
