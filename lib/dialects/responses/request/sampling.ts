import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import { clampMaxTokens } from "../../request/max_tokens.ts";
import type { ResponsesContext } from "../responses.ts";

/** Smallest `max_output_tokens`. Source: https://github.com/earendil-works/pi/issues/6265 */
const MIN_OUTPUT_TOKENS = 16;

/** Options of `toSampling`. */
export interface SamplingOptions {
  /** True if the model certainly reasons on this request. */
  reasons: boolean;
}

/**
 * Returns token limit and sampling parameters. Reports those that the model does not accept.
 *
 * The API has no stop sequences: `StopSequences` ends the answer.
 */
export function toSampling(
  request: MessagesRequest,
  context: ResponsesContext,
  { reasons }: SamplingOptions,
): JsonObject {
  const { features, facts, loss } = context;
  const { temperature, top_p, top_k } = request;
  const limit = clampMaxTokens(request, context);
  if (limit < MIN_OUTPUT_TOKENS) loss.add("max_tokens", "approximated");
  const fields: JsonObject = { max_output_tokens: Math.max(MIN_OUTPUT_TOKENS, limit) };
  const candidates: [field: string, parameter: string, value: unknown, isAccepted: boolean][] = [
    ["temperature", "temperature", temperature, !reasons],
    ["top_p", "top_p", top_p, !reasons],
    ["top_k", "top_k", top_k, features.topK],
  ];
  for (const [field, parameter, value, isAccepted] of candidates) {
    if (value === undefined || value === null) continue;
    if (isAccepted && (facts.parameters?.has(parameter) ?? true)) fields[parameter] = value;
    else loss.add(field, "dropped");
  }
  return fields;
}
