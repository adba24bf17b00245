import type { ContentBlock } from "../../anthropic/schema.ts";

/** Start of the billing block, Claude Code's first system block. */
const BILLING_HEADER = "x-anthropic-billing-header";

/**
 * True for Claude Code's billing block.
 *
 * Only Anthropic receives it: it changes with every conversation and would defeat the prompt caches of others.
 */
export function isBillingBlock(block: ContentBlock): boolean {
  return block.type === "text" && block.text.startsWith(BILLING_HEADER);
}
