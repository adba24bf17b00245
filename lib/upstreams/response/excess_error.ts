import { ApiError } from "../../base/errors.ts";
import { JSON_BOUNDS, type JsonBounds } from "../../base/json_bounds.ts";

/** Returns the error for a part of an upstream's answer that exceeds a bound of JSON. */
export function excessError(part: string, excess: keyof JsonBounds): ApiError {
  const why: Record<keyof JsonBounds, string> = {
    depth: `is nested more than ${JSON_BOUNDS.depth} levels deep`,
    values: `has more than ${JSON_BOUNDS.values} values`,
    names: `has more than ${JSON_BOUNDS.names} different names, or very long ones`,
  };
  return new ApiError("api_error", `${part} ${why[excess]}`, { status: 502 });
}
