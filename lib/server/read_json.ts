import { ApiError } from "../base/errors.ts";
import { findExcess, JSON_BOUNDS, type JsonBounds, mayExceed, surveyJson } from "../base/json_bounds.ts";
import { isObject } from "../base/json.ts";
import type { BodyCount } from "../limits/body_meter.ts";
import { nextTask } from "../runtime/next_task.ts";
import { type CutJson, putBack, toWholeText } from "./body/long_strings.ts";
import { markWellFormed } from "../dialects/request/well_formed.ts";
import { type BodyOptions, readRequestBody } from "./request_body.ts";

/** Maximum length of the path in an error message, in characters. */
const MAX_PATH_CHARS = 300;

/** Size of a body before whose parsing other requests continue. */
const LARGE_BODY_BYTES = 1024 * 1024;

/**
 * Reads and parses the JSON body of a client's request.
 *
 * @throws {ApiError} the errors of {@linkcode readRequestBody}; `invalid_request_error` if the body is not UTF-8 or not
 * JSON, exceeds the bounds of JSON, or has a number that is not finite.
 */
export async function readJsonBody(
  request: Request,
  count: BodyCount,
  options: BodyOptions,
): Promise<unknown> {
  const body = await readRequestBody(request, count, options);
  if (body.size > LARGE_BODY_BYTES) await nextTask();
  return body.strings.size === 0 ? parseJson(body.text) : parseCut(body);
}

function parseCut(body: CutJson): unknown {
  let whole: { value: unknown } | undefined;
  try {
    whole = putBack(parseJson(body.text), body.strings);
  } catch {
    // An error has the positions in the whole text.
  }
  return whole === undefined ? parseJson(toWholeText(body)) : whole.value;
}

/**
 * Parses the JSON of a client.
 *
 * @throws {ApiError} `invalid_request_error` if the text is not JSON, exceeds the bounds of JSON, or has a number that
 * is not finite.
 */
export function parseJson(text: string): unknown {
  if (mayExceed(text, Math.random)) rejectExcess(findExcess(text));
  const value = parse(text);
  const { excess, isFinite, isWellFormed } = surveyJson(value);
  rejectExcess(excess);
  if (isWellFormed && isObject(value)) markWellFormed(value);
  const steps = isFinite ? undefined : findInfinite(value);
  if (steps === undefined) return value;
  const path = (steps.toReversed().join(".") || "body").slice(0, MAX_PATH_CHARS);
  throw new ApiError("invalid_request_error", `${path}: Input should be a finite number`);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    rejectExcess(findExcess(text));
    const why = text.trim() === "" ? "it is empty" : syntaxErrorReason(cause);
    throw new ApiError("invalid_request_error", `The request body is not valid JSON: ${why}`);
  }
}

function rejectExcess(excess: keyof JsonBounds | undefined): void {
  if (excess !== undefined) throw new ApiError("invalid_request_error", EXCESS_MESSAGES[excess]);
}

const EXCESS_MESSAGES: Record<keyof JsonBounds, string> = {
  depth: `The request body is nested more than ${JSON_BOUNDS.depth} levels deep`,
  values: `The request body has more than ${JSON_BOUNDS.values} values`,
  names: `The request body has more than ${JSON_BOUNDS.names} different names of members, or very long ones`,
};

/** Returns the parser's message without the excerpt of the body that some engines quote. */
function syntaxErrorReason(error: unknown): string {
  const message = error instanceof Error ? error.message : "";
  return message.replace(/,?\s*(\.\.\.)?".*"(\.\.\.)?/s, "").slice(0, 200);
}

/**
 * Finds a number in parsed JSON that is not finite, such as `1e999`. Serialized again, it would become `null`.
 * Returns the path to it, last step first, or `undefined`.
 *
 * @example Usage
 * ```ts
 * import { findInfinite } from "./read_json.ts";
 *
 * findInfinite(JSON.parse('{"a":[1,1e999]}')); // ["1", "a"]
 * ```
 */
export function findInfinite(value: unknown): string[] | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? undefined : [];
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) {
      const steps = findInfinite(value[at]);
      if (steps !== undefined) return [...steps, String(at)];
    }
  } else if (isObject(value)) {
    for (const name in value) {
      const steps = findInfinite(value[name]);
      if (steps !== undefined) return [...steps, name];
    }
  }
  return undefined;
}
