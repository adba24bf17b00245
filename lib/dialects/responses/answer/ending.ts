import type { StopReason } from "../../../anthropic/events.ts";
import { ApiError } from "../../../base/errors.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { CUT_REASONS, isFailedStop, stopError, stopMeaning } from "../../stop_reasons.ts";
import { textOf } from "./answer_state.ts";

/** How a response ended. */
export interface ResponseEnding {
  /** Stop reason; `end_turn` if the content of the answer decides. */
  reason: StopReason;
  /** Word that no table has. It is a normal end only if something was said. */
  unknown?: string | undefined;
}

/** Statuses of a response that is not finished. */
const UNFINISHED: readonly string[] = ["queued", "in_progress", "pending", "running"];

/**
 * Reads the end of a response from its status and the reason for which it is incomplete.
 *
 * A reason that no table has is a limit if the response is incomplete.
 *
 * @throws {ApiError} if the answer failed or is not finished.
 */
export function readEnding({ status, incomplete_details: details }: JsonObject): ResponseEnding {
  const reason = isObject(details) ? textOf(details.reason) : "";
  // Some hosts omit the status of a whole answer.
  const word = reason || textOf(status) || "completed";
  const meaning = stopMeaning(word);
  if (isFailedStop(meaning)) throw stopError(word, meaning);
  if (UNFINISHED.includes(word)) {
    const what = `The upstream did not finish its answer: its status is "${word}"`;
    throw new ApiError("api_error", what, { status: 502 });
  }
  if (meaning === "sequence") return { reason: "stop_sequence" };
  if (meaning !== undefined) return { reason: CUT_REASONS[meaning] ?? "end_turn" };
  return { reason: status === "incomplete" ? "max_tokens" : "end_turn", unknown: word };
}

/**
 * Returns the response of a last event. The event's type counts unless the status says that the answer was cut, or
 * something that no table has.
 */
export function toFinishedResponse(type: string, response: JsonObject): JsonObject {
  const named = type.slice("response.".length);
  const status = textOf(response.status);
  const isFinished = ["", ...UNFINISHED].includes(status) || stopMeaning(status) === "done";
  const isWorse = named === "completed" && !isFinished;
  return { ...response, status: isWorse || named === "done" ? response.status : named };
}
