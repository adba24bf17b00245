import type { ChatFeatures } from "./chat.ts";

/** Call ids that OpenAI accepts. */
export const OPENAI_CALL_ID = /^.{1,40}$/s;
/** Call ids that Mistral accepts. Source: https://github.com/langchain-ai/langchain/pull/24668 */
export const MISTRAL_CALL_ID = /^[a-zA-Z0-9]{9}$/;

/**
 * Requirements of model families that hold on every host.
 *
 * Most matter only if another model began the conversation. Then its call ids have another form, and its answers lack
 * the reasoning fields or signatures that this model requires.
 */
const MODEL_QUIRKS: readonly (readonly [model: RegExp, quirks: Partial<ChatFeatures>])[] = [
  [/^openai\//, { callIds: OPENAI_CALL_ID }],
  [/(^|\/)(open-)?(mistral|ministral|mixtral|magistral|codestral|devstral|pixtral)/i, {
    callIds: MISTRAL_CALL_ID,
  }],
  // Source: https://ai.google.dev/gemini-api/docs/thought-signatures
  [/(^|\/)gemini-(?![12]\b)/, { needsSignedCalls: true }],
  // Source: https://github.com/earendil-works/pi/pull/987
  [/(^|\/)(deepseek|kimi)-/, { reasoningContent: "with calls" }],
  // Source: https://github.com/cloudwego/eino/issues/994, https://github.com/can1357/oh-my-pi/issues/1077
  [/(^|\/)(deepseek|kimi|qwen|claude)/, { forcedWhileThinking: false }],
];

/** Returns the host's features, overridden by the model's quirks. */
export function withModelQuirks(features: ChatFeatures, model: string): ChatFeatures {
  const matching = MODEL_QUIRKS.filter(([pattern]) => pattern.test(model)).map(([, quirks]) => quirks);
  const all: ChatFeatures = Object.assign({}, features, ...matching);
  // A quirk must not weaken the host's requirement: all answers include those with calls.
  return features.reasoningContent === "always" ? { ...all, reasoningContent: "always" } : all;
}
