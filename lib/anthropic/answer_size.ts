import { ApiError } from "../base/errors.ts";

/** Maximum size of an answer that is held in memory, in characters. */
export const MAX_ANSWER_CHARS = 32 * 1024 * 1024;

/**
 * Counts the characters of an answer that the gateway gathers.
 *
 * @example Usage
 * ```ts
 * import { AnswerSize } from "./answer_size.ts";
 *
 * new AnswerSize().add({ type: "text_delta", text: "Hello" });
 * ```
 */
export class AnswerSize {
  #chars = 0;

  /**
   * Adds a part of the answer.
   *
   * @throws {ApiError} `api_error` (502) if the answer is larger than 32 MiB.
   */
  add(part: unknown): void {
    this.#chars += countChars(part);
    if (this.#chars > MAX_ANSWER_CHARS) {
      throw new ApiError("api_error", "Cannot use the upstream's answer: it is larger than 32 MiB", {
        status: 502,
      });
    }
  }
}

/** Counts the characters of the texts and names in a value; any other value counts as 8. */
function countChars(value: unknown): number {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null) return 8;
  let chars = 8;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) chars += String(at).length + countChars(value[at]);
  } else {
    for (const name in value) chars += name.length + countChars((value as Record<string, unknown>)[name]);
  }
  return chars;
}
