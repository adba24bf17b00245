import { missingCalls } from "../../errors/unreadable.ts";
import { CUT_REASONS, isFailedStop, stopError, type StopMeaning, stopMeaning } from "../../stop_reasons.ts";

/** What an answer holds at its end. */
export interface NativeContent {
  /** True if it calls tools of the client. */
  hasCalls: boolean;
  /** True if it has any block. */
  hasContent: boolean;
  /** True for an upstream whose answers are passed on as they are. */
  exact: boolean;
}

/** Anthropic's stop reasons that do not depend on the content. */
const OWN_REASONS = new Set([
  "max_tokens",
  "stop_sequence",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
  "compaction",
]);

const STOP_REASONS: Partial<Record<StopMeaning, string>> = {
  ...CUT_REASONS,
  sequence: "stop_sequence",
  paused: "pause_turn",
};

/**
 * Returns the stop reason of an answer, and whether the upstream's word is unknown.
 *
 * A reason that denies the blocks is corrected: a client runs no calls after `end_turn`, and waits for none after
 * `tool_use`. An unknown word of Anthropic or OpenRouter is passed on: it may be newer than the gateway.
 *
 * @throws {ApiError} if the answer ended by a failure, or for an unknown reason without content.
 */
export function toNativeStop(
  word: string | null,
  { hasCalls, hasContent, exact }: NativeContent,
): { stopReason: string; isUnknown: boolean } {
  if (word !== null && OWN_REASONS.has(word)) return { stopReason: word, isUnknown: false };
  const meaning = stopMeaning(word ?? "");
  const isUnknown = word !== null && word !== "" && meaning === undefined;
  if (isUnknown && exact) return { stopReason: word, isUnknown };
  if (isFailedStop(meaning) || (isUnknown && !hasContent)) throw stopError(word ?? "", meaning);
  if (meaning === "tools" && !hasContent && !exact) throw missingCalls();
  if (exact && word === "tool_use") return { stopReason: word, isUnknown };
  return {
    stopReason: (meaning && STOP_REASONS[meaning]) ?? (hasCalls ? "tool_use" : "end_turn"),
    isUnknown,
  };
}
