import { isObject, type JsonObject } from "../../base/json.ts";
import type { LossReport } from "../loss.ts";
import { withNearestEffort } from "./adjust_effort.ts";
import { withAlternateRoles, withSystemAsUser } from "./adjust_roles.ts";
import type { Adjustment, FieldOwner } from "./adjustment.ts";
import { withPlainText } from "./plain_text.ts";
import type { ReportedRequest } from "./reported_request.ts";

/**
 * Applies adjustments to the upstream's body, in any dialect. Reports what they change.
 *
 * The other adjustments apply to the request before it is translated: see `adjustRequest`.
 *
 * @example Usage
 * ```ts
 * import { LossReport } from "../loss.ts";
 * import { adjustBody } from "./adjust_body.ts";
 *
 * const loss = new LossReport();
 * const request = { model: "m", max_tokens: 8, messages: [], stop_sequences: ["X"] };
 * const adjustments = [{ change: "drop_parameter" as const, parameter: "stop" }];
 * const body = adjustBody({ model: "m", stop: ["X"] }, adjustments, { request, loss });
 * if (JSON.stringify(body) !== '{"model":"m"}') throw new Error("kept");
 * if (loss.toHeader() !== "stop_sequences;dropped") throw new Error("not reported");
 * ```
 */
export function adjustBody(
  body: JsonObject,
  adjustments: readonly Adjustment[],
  context: ReportedRequest,
): JsonObject {
  return adjustments.reduce((adjusted, adjustment) => adjustOnce(adjusted, adjustment, context), body);
}

function adjustOnce(body: JsonObject, adjustment: Adjustment, context: ReportedRequest): JsonObject {
  switch (adjustment.change) {
    case "drop_parameter":
      return withoutParameter(body, adjustment.parameter, context);
    case "rename_parameter": {
      const { [adjustment.parameter]: value, ...rest } = body;
      return value === undefined || rest[adjustment.to] !== undefined
        ? body
        : { ...rest, [adjustment.to]: value };
    }
    case "drop_field":
      return withoutField(body, adjustment, context.loss);
    case "efforts":
      return withNearestEffort(body, adjustment, context);
    case "system_as_user":
      return withSystemAsUser(body, adjustment.every === true);
    case "alternate_roles":
      return withAlternateRoles(body, context);
    case "plain_text":
      return withPlainText(body);
    default:
      return body;
  }
}

/** Fields of the client's request by the name of the upstream's field, where the names differ. */
const CLIENT_FIELDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["stop", ["stop_sequences"]],
  ["parallel_tool_calls", ["tool_choice.disable_parallel_tool_use"]],
  ["reasoning_effort", ["output_config.effort", "thinking"]],
  ["reasoning", ["output_config.effort", "thinking"]],
  ["reasoning.effort", ["output_config.effort", "thinking"]],
  ["reasoning.summary", ["thinking"]],
  ["reasoning.max_tokens", ["thinking.budget_tokens"]],
  ["max_completion_tokens", ["max_tokens"]],
  ["max_output_tokens", ["max_tokens"]],
]);

function withoutParameter(
  body: JsonObject,
  parameter: string,
  { request, loss }: ReportedRequest,
): JsonObject {
  const rest = withoutPath(body, parameter.split("."));
  if (rest === body) return body;
  for (const path of CLIENT_FIELDS.get(parameter) ?? [parameter]) {
    // Only what the client sent is lost: some fields are the gateway's own.
    if (hasPath(request, path.split("."))) loss.add(path, "dropped");
  }
  return rest;
}

function withoutPath(object: JsonObject, [name = "", ...rest]: readonly string[]): JsonObject {
  if (!Object.hasOwn(object, name)) return object;
  const { [name]: value, ...others } = object;
  if (rest.length === 0) return others;
  if (!isObject(value)) return object;
  const inner = withoutPath(value, rest);
  if (inner === value) return object;
  return Object.keys(inner).length === 0 ? others : { ...object, [name]: inner };
}

function hasPath(value: unknown, [name, ...rest]: readonly string[]): boolean {
  if (name === undefined) return value !== undefined && value !== null;
  return isObject(value) && hasPath(value[name], rest);
}

/** Removes a field from all objects of a kind. The paths are the client's if the body is in Anthropic's format. */
function withoutField(
  body: JsonObject,
  { within, field }: { within: FieldOwner; field: string },
  loss: LossReport,
): JsonObject {
  const strip = (value: unknown, path: string, cached = false): unknown => {
    if (Array.isArray(value)) return value.map((item, at) => strip(item, `${path}.${at}`));
    if (!isObject(value)) return value;
    const owned = within === "cache_control" ? cached : true;
    if (owned && value[field] !== undefined) loss.add(`${path}.${field}`, "dropped");
    const kept = Object.entries(value).filter(([name]) => !owned || name !== field);
    return Object.fromEntries(kept.map(([name, item]) => {
      const nested = NESTED_FIELDS.has(name);
      return [name, nested ? strip(item, `${path}.${name}`, name === "cache_control") : item];
    }));
  };
  const parts = within === "cache_control"
    ? ["cache_control", "system", "tools", "messages"]
    : within === "messages"
    ? ["messages", "input"] // the Responses API's name of the conversation
    : [within];
  const changed = parts.filter((part) => body[part] !== undefined).map((part) => [
    part,
    strip(body[part], part, part === "cache_control"),
  ]);
  return { ...body, ...Object.fromEntries(changed) };
}

/** Fields of an object that hold further objects of its kind. */
const NESTED_FIELDS = new Set(["content", "output", "function", "cache_control"]);
