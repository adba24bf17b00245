import { ApiError } from "../../base/errors.ts";
import { tryJson } from "../../base/json.ts";
import { findExcess, JSON_BOUNDS } from "../../base/json_bounds.ts";

/**
 * Parses the arguments of a model's tool call. Returns `undefined` if they are not JSON, as those of a message that was
 * cut.
 *
 * @throws {ApiError} `api_error` (502) if they exceed the bounds of JSON.
 *
 * @example Usage
 * ```ts
 * import { parseToolInput } from "./parse_input.ts";
 *
 * if (JSON.stringify(parseToolInput('{"path":"a"}')) !== '{"path":"a"}') throw new Error("not parsed");
 * ```
 */
export function parseToolInput(json: string): unknown {
  const excess = findExcess(json);
  if (excess !== undefined) throw toolInputError(excess);
  return tryJson(json);
}

/** Returns the error for arguments that exceed a bound of JSON. */
export function toolInputError(excess: keyof typeof JSON_BOUNDS): ApiError {
  const why = {
    depth: `are nested more than ${JSON_BOUNDS.depth} levels deep`,
    values: `have more than ${JSON_BOUNDS.values} values`,
    names: `have more than ${JSON_BOUNDS.names} different names, or very long ones`,
  }[excess];
  return new ApiError("api_error", `Cannot use the model's tool call: its arguments ${why}`, {
    status: 502,
  });
}
