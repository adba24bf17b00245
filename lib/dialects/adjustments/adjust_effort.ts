import { isObject, type JsonObject } from "../../base/json.ts";
import { isResponsesBody } from "./conversation.ts";
import type { ReportedRequest } from "./reported_request.ts";

/** Efforts, ascending. `default` stands for the host's own choice. */
const EFFORTS = ["none", "minimal", "low", "medium", "default", "high", "xhigh", "max"];

/**
 * Replaces the effort of a body by the nearest accepted one; of two equally near ones, by the lower.
 *
 * With `besideTools`, only a request with tools is changed. Then the only accepted effort is sent even if the client
 * requested none, because the model's default is another one.
 */
export function withNearestEffort(
  body: JsonObject,
  { efforts, besideTools = false }: { efforts: readonly string[]; besideTools?: boolean },
  { request, loss }: ReportedRequest,
): JsonObject {
  const hasTools = Array.isArray(body.tools) && body.tools.length > 0;
  if (besideTools && !hasTools) return body;
  const path = request.output_config?.effort ? "output_config.effort" : "thinking";
  const replace = (effort: unknown): unknown => {
    if (typeof effort !== "string" || efforts.includes(effort)) return effort;
    loss.add(path, "approximated");
    return nearest(effort, efforts);
  };
  const replaceIn = (value: unknown): unknown =>
    isObject(value) && value.effort !== undefined ? { ...value, effort: replace(value.effort) } : value;
  const added = besideTools && body.reasoning === undefined && body.reasoning_effort === undefined
    ? isResponsesBody(body) ? { reasoning: { effort: efforts[0] } } : { reasoning_effort: efforts[0] }
    : {};
  return {
    ...body,
    ...added,
    ...(body.reasoning_effort !== undefined && { reasoning_effort: replace(body.reasoning_effort) }),
    ...(body.reasoning !== undefined && { reasoning: replaceIn(body.reasoning) }),
    ...(body.output_config !== undefined && { output_config: replaceIn(body.output_config) }),
  };
}

function nearest(effort: string, efforts: readonly string[]): string {
  const rank = EFFORTS.indexOf(effort);
  const distance = (other: string) => Math.abs(EFFORTS.indexOf(other) - rank);
  const sorted = efforts.toSorted((a, b) => EFFORTS.indexOf(a) - EFFORTS.indexOf(b));
  // A model that can think should not stop thinking because of the name of an effort.
  const thinking = effort === "none" ? sorted : sorted.filter((other) => other !== "none");
  const candidates = thinking.length > 0 ? thinking : sorted;
  return candidates.toSorted((a, b) => distance(a) - distance(b))[0] ?? effort;
}
