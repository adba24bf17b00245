import type { ChatFeatures } from "./chat.ts";

/** What OpenAI takes as the id of a call. */
export const OPENAI_CALL_ID = /^.{1,40}$/s;
/** What Mistral takes as the id of a call. Source: https://github.com/langchain-ai/langchain/pull/24668 */
export const MISTRAL_CALL_ID = /^[a-zA-Z0-9]{9}$/;

/**
 * What families of models insist on whoever serves them, as data.
 *
 * Most of it shows only when a conversation was begun with another model: it has calls of a foreign form, and lacks
 * what this one would have said of its thoughts.
 */
const MODEL_QUIRKS: readonly (readonly [model: RegExp, quirks: Partial<ChatFeatures>])[] = [
  [/^openai\//, { callIds: OPENAI_CALL_ID }],
  [/(^|\/)(open-)?(mistral|ministral|mixtral|magistral|codestral|devstral|pixtral)/i, {
    callIds: MISTRAL_CALL_ID,
  }],
  // Source: https://ai.google.dev/gemini-api/docs/thought-signatures
  [/(^|\/)gemini-(?![12]\b)/, { signedCalls: true }],
  // Source: https://github.com/earendil-works/pi/pull/987
  [/(^|\/)(deepseek|kimi)-/, { reasoningContent: "of calls" }],
  // Source: https://github.com/cloudwego/eino/issues/994, https://github.com/can1357/oh-my-pi/issues/1077
  [/(^|\/)(deepseek|kimi|qwen|claude)/, { forcedWhileThinking: false }],
];

/** Gives what a host takes of a model: the host's habits, and the model's own. */
export function withModelQuirks(features: ChatFeatures, model: string): ChatFeatures {
  const matching = MODEL_QUIRKS.filter(([pattern]) => pattern.test(model)).map(([, quirks]) => quirks);
  const all: ChatFeatures = Object.assign({}, features, ...matching);
  // A host that wants it of all answers wants it of those that call.
  return features.reasoningContent === "of all" ? { ...all, reasoningContent: "of all" } : all;
}
