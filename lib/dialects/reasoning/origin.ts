import type { JsonObject } from "../../base/json.ts";

/** Anthropic's own models, under the names that its hosts give them: `claude-…`, `anthropic/…`, `us.anthropic.claude-…`. */
export function isClaude(model: string): boolean {
  return /^~?anthropic\/|(^|[/.])claude-/.test(model);
}

/** Google's models, which need their own signatures back as Claude does. */
export function isGemini(model: string): boolean {
  return /(^|[/.])gemini-/.test(model);
}

/** How Claude's reasoning is marked in chat completions. */
export const CLAUDE_FORMAT = "anthropic-claude-v1";
/** How Gemini's is. */
export const GEMINI_FORMAT = "google-gemini-v1";

/** Tells whether a model takes no reasoning but what it signed itself. */
export function needsSignature(model: string): boolean {
  return isClaude(model) || isGemini(model);
}

/** Tells whether a detail that names no model, only a format, is surely this model's own. */
export function belongsToModel({ format, signature }: JsonObject, model: string): boolean {
  if (format === GEMINI_FORMAT) return isGemini(model);
  // Where no format is named it is Claude's, if anybody signed it.
  const claude = format === CLAUDE_FORMAT || (!format && typeof signature === "string" && signature !== "");
  return claude && isClaude(model);
}

/**
 * Tells a thought that lacks the signature its model insists on: such a thought makes the whole request fail.
 *
 * Source: https://github.com/OpenRouterTeam/ai-sdk-provider, convert-to-openrouter-chat-messages.ts
 */
export function lacksSignature({ type, format, signature }: JsonObject, model: string): boolean {
  if (type !== "reasoning.text" || signature) return false;
  return format === CLAUDE_FORMAT || format === GEMINI_FORMAT || (!format && needsSignature(model));
}
