import type { StopReason } from "../../../anthropic/events.ts";
import { missingCalls } from "../../errors/unreadable.ts";
import { CUT_REASONS, isFailedStop, stopError, type StopMeaning, stopMeaning } from "../../stop_reasons.ts";
import type { Choice } from "./chunk.ts";

/** What an answer holds at its end. */
export interface AnswerContent {
  hasCalls: boolean;
  /** True if anything was written. */
  hasContent: boolean;
}

/** Collects what a host says about the end of an answer, and converts it to a stop reason. */
export class Ending {
  readonly #stopSequences: readonly string[];
  #nativeFinish: string | undefined;
  /** Reason to finish. The first one counts. */
  finish: string | undefined;
  /** True if the answer holds a refusal. */
  refused = false;
  /** Stop sequence that ended the answer, if the host reports it. */
  stopSequence: string | null = null;
  /** Reason to finish that no table has. */
  unknown: string | undefined;

  constructor(stopSequences: readonly string[]) {
    this.#stopSequences = stopSequences;
  }

  /** Reads what a choice says about the end. */
  push({ finish_reason, native_finish_reason, stop_reason }: Choice): void {
    if (native_finish_reason) this.#nativeFinish = native_finish_reason;
    // vLLM's field.
    if (typeof stop_reason === "string" && this.#stopSequences.includes(stop_reason)) {
      this.stopSequence = stop_reason;
    }
    if (finish_reason) this.finish ??= finish_reason;
  }

  /** True once the host has given a reason to finish. */
  get reached(): boolean {
    return this.finish !== undefined;
  }

  /** True if a limit or a refusal cut the answer. */
  get isCut(): boolean {
    return CUT_REASONS[this.#meaning ?? "done"] !== undefined;
  }

  /**
   * Returns the stop reason of an answer with this content.
   *
   * @throws {ApiError} if the answer ended by a failure, or for an unknown reason without content.
   */
  toStopReason({ hasCalls, hasContent }: AnswerContent): StopReason {
    const meaning = this.#meaning;
    if (meaning === undefined && this.finish !== undefined) this.unknown = this.finish;
    if (isFailedStop(meaning) || (this.unknown !== undefined && !hasContent)) {
      const native = this.#nativeFinish === this.finish ? [] : [this.#nativeFinish];
      throw stopError([this.finish, ...native].filter(Boolean).join(", "), meaning);
    }
    if (meaning === "tools" && !hasCalls && !hasContent) throw missingCalls();
    const cut = meaning && CUT_REASONS[meaning];
    if (cut !== undefined) return cut;
    if (hasCalls) return "tool_use";
    if (this.refused) return "refusal";
    if (meaning === "sequence" || this.stopSequence !== null) {
      const [first, second] = this.#stopSequences;
      if (second === undefined) this.stopSequence ??= first ?? null;
      return "stop_sequence";
    }
    return "end_turn";
  }

  /** Meaning of the reason to finish. The model's own reason counts if OpenRouter's hides it. */
  get #meaning(): StopMeaning | undefined {
    const finish = stopMeaning(this.finish ?? "");
    const native = stopMeaning(this.#nativeFinish ?? "");
    const decisive = finish === undefined || finish === "done" ||
      (finish === "tools" && native !== "sequence");
    return decisive && native !== undefined && native !== "tools" && native !== "done"
      ? native
      : finish ?? native;
  }
}
