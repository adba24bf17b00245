import type { JsonObject } from "../../base/json.ts";

/** True for Anthropic's models, by any host's name: `claude-…`, `anthropic/…`, `us.anthropic.claude-…`. */
export function isClaude(model: string): boolean {
  return /^~?anthropic\/|(^|[/.])claude-/.test(model);
}

/** True for Google's models. Like Claude, they require their own signatures back. */
function isGemini(model: string): boolean {
  return /(^|[/.])gemini-/.test(model);
}

/** Format of Claude's reasoning details in chat completions. */
export const CLAUDE_FORMAT = "anthropic-claude-v1";
/** Format of Gemini's reasoning details in chat completions. */
export const GEMINI_FORMAT = "google-gemini-v1";

/** True if a model accepts only reasoning that it signed itself. */
export function needsSignature(model: string): boolean {
  return isClaude(model) || isGemini(model);
}

/**
 * True if a reasoning detail is certainly this model's own.
 *
 * A detail names a format, not a model. Only the formats of Claude and Gemini identify the models.
 */
export function belongsToModel({ format, signature }: JsonObject, model: string): boolean {
  if (format === GEMINI_FORMAT) return isGemini(model);
  // A signed detail without a format is Claude's.
  const claude = format === CLAUDE_FORMAT || (!format && typeof signature === "string" && signature !== "");
  return claude && isClaude(model);
}

/**
 * True if a reasoning text lacks the signature that its model requires. Such a text makes the whole request fail.
 *
 * Source: https://github.com/OpenRouterTeam/ai-sdk-provider, convert-to-openrouter-chat-messages.ts
 */
export function lacksSignature({ type, format, signature }: JsonObject, model: string): boolean {
  if (type !== "reasoning.text" || signature) return false;
  return format === CLAUDE_FORMAT || format === GEMINI_FORMAT || (!format && needsSignature(model));
}
