import type { StopReason } from "../anthropic/events.ts";
import { ApiError } from "../base/errors.ts";

/**
 * Meaning of the word with which an upstream ends an answer.
 *
 * - `done`: the model has finished. `tools`: it has called tools. `sequence`: it has reached a stop sequence.
 * - `limit`: the answer has reached its token limit. `context`: the context window is full.
 * - `refused`: the model or a filter refused to answer. `paused`: the client sends the answer back to continue it.
 * - `failed`: the upstream failed. `overloaded`: it failed, and a repeat helps.
 */
export type StopMeaning =
  | "done"
  | "tools"
  | "sequence"
  | "limit"
  | "context"
  | "refused"
  | "paused"
  | "failed"
  | "overloaded";

/**
 * All words that end an answer, by meaning. They are compared without regard to case and to `_`, `-` and spaces.
 *
 * Sources: [A] https://platform.claude.com/docs/en/build-with-claude/handling-stop-reasons [O]
 * https://platform.openai.com/docs/api-reference/chat/object (and Responses, and the older completions) [G]
 * https://ai.google.dev/api/generate-content#FinishReason (OpenRouter sends it as `native_finish_reason`; Gemini's own
 * chat completions as `function_call_filter: …` or `content_filter: …`) [B]
 * https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html [C]
 * https://docs.cohere.com/reference/chat [M] https://docs.mistral.ai/api [D] https://api-docs.deepseek.com/api [Z]
 * https://docs.z.ai/api-reference/llm/chat-completion [V] vLLM: `vllm/v1/request.py`, and SGLang [T]
 * text-generation-inference, Together [L] https://lmstudio.ai/docs/typescript/api-reference/llm-prediction-stop-reason
 * [W] https://cloud.ibm.com/apidocs/watsonx-ai [H] Ollama and llama.cpp [F] Fireworks, SambaNova and other hosts
 */
const WORDS: Record<StopMeaning, readonly string[]> = {
  done: [
    ..."end_turn".split(" "), // A
    ..."stop completed complete".split(" "), // O, G, C
    ..."eos eos_token end_of_text endoftext".split(" "), // T, W
    ..."eosFound unload".split(" "), // L, H
    ..."end finished normal success".split(" "), // F
  ],
  tools: [
    ..."tool_use".split(" "), // A, B
    ..."tool_calls tool_call function_call function_calls".split(" "), // O, C
  ],
  sequence: [
    ..."stop_sequence".split(" "), // A, B, C, T
    ..."stopStringFound stop_word stop_string".split(" "), // L, F
  ],
  limit: [
    ..."max_tokens".split(" "), // A, G, B, C
    ..."length max_output_tokens incomplete max_completion_tokens".split(" "), // O
    ..."token_limit maxPredictedTokensReached limit max_length max_new_tokens".split(" "), // W, L, H, F
    ..."reason_max_len output_limit".split(" "), // F
  ],
  context: [
    ..."model_context_window_exceeded".split(" "), // A, B, Z
    ..."model_length".split(" "), // M
    ..."contextLengthReached context_length context_length_exceeded max_context".split(" "), // L, F
  ],
  refused: [
    ..."refusal".split(" "), // A
    ..."content_filter".split(" "), // O
    ..."safety recitation blocklist prohibited_content spii language".split(" "), // G
    ..."image_safety image_recitation image_prohibited_content model_armor".split(" "), // G
    ..."guardrail_intervened content_filtered".split(" "), // B
    ..."error_toxic".split(" "), // C
    ..."sensitive".split(" "), // Z
    ..."refused moderation content_policy content_policy_violation policy_violation filtered".split(" "), // F
  ],
  paused: [
    ..."pause_turn".split(" "), // A
  ],
  failed: [
    ..."error failed".split(" "), // O, M, V, W
    ..."malformed_function_call unexpected_tool_call too_many_tool_calls malformed_response".split(" "), // G
    ..."missing_thought_signature function_call_filter no_image".split(" "), // G
    ..."malformed_model_output malformed_tool_use".split(" "), // B
    ..."error_limit".split(" "), // C
    ..."repetition".split(" "), // V
  ],
  overloaded: [
    ..."insufficient_system_resource insufficient_system_resources".split(" "), // D
    ..."network_error".split(" "), // Z
    ..."abort aborted cancelled canceled user_cancel userStopped modelUnloaded".split(" "), // V, O, C, L
    ..."preempted rate_limit rate_limit_exceeded".split(" "), // V, F
    ..."timeout time_limit overloaded server_error internal_error connection_error".split(" "), // C, W, F
  ],
};

/** Meanings by the words as the table has them: those of almost all answers. */
const MEANINGS = toMeanings((word) => word);
/** Meanings by normalized words. */
let normalized: ReadonlyMap<string, StopMeaning> | undefined;

function toMeanings(toKey: (word: string) => string): ReadonlyMap<string, StopMeaning> {
  const entries = Object.entries(WORDS);
  return new Map(
    entries.flatMap(([meaning, words]) => words.map((word) => [toKey(word), meaning as StopMeaning])),
  );
}

/**
 * Returns the meaning of a word that ends an answer; undefined if no table has it.
 *
 * A word may have details behind a colon, and Google's prefix.
 *
 * @example Usage
 * ```ts
 * import { stopMeaning } from "./stop_reasons.ts";
 *
 * if (stopMeaning("function_call_filter: MALFORMED_FUNCTION_CALL") !== "failed") throw new Error("not a failure");
 * if (stopMeaning("MAX_TOKENS") !== "limit") throw new Error("not a limit");
 * ```
 */
export function stopMeaning(word: string): StopMeaning | undefined {
  const known = MEANINGS.get(word);
  if (known !== undefined || word === "") return known;
  const meanings = normalized ??= toMeanings(normalize);
  const [name = "", ...details] = word.split(":");
  return [word, name, details.join(":")].map((part) => meanings.get(normalize(part)))
    .find((meaning) => meaning !== undefined);
}

/** Stop reasons for the meanings that do not depend on the content of an answer. */
export const CUT_REASONS: Partial<Record<StopMeaning, StopReason>> = {
  limit: "max_tokens",
  context: "model_context_window_exceeded",
  refused: "refusal",
};

/** True if a word ends an answer by a failure of the upstream. */
export function isFailedStop(meaning: StopMeaning | undefined): boolean {
  return meaning === "failed" || meaning === "overloaded";
}

/** Returns the error of an answer that ends by a failure of the upstream; retryable if a repeat helps. */
export function stopError(word: string, meaning: StopMeaning | undefined): ApiError {
  const message = `The upstream failed in the middle of its answer: ${word.slice(0, 100)}`;
  return meaning === "overloaded"
    ? new ApiError("overloaded_error", message)
    : new ApiError("api_error", message, { status: 502 });
}

function normalize(word: string): string {
  return word.toLowerCase().replace(/^finish_reason_/, "").replace(/[\s_-]+/g, "");
}
