import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { ChatContext } from "../chat.ts";
import { clampMaxTokens } from "../../request/max_tokens.ts";

/** Maximum number of stop sequences in chat completions. */
const MAX_STOP_SEQUENCES = 4;

/** Returns token limit, stop sequences and sampling parameters. Reports those that the model does not accept. */
export function toSampling(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, loss } = context;
  const { temperature, top_p, top_k, stop_sequences: stops = [] } = request;
  stops?.forEach((_stop, at) => at >= MAX_STOP_SEQUENCES && loss.add(`stop_sequences.${at}`, "dropped"));
  const candidates: [field: string, parameter: string, value: unknown][] = [
    ["temperature", "temperature", temperature],
    ["top_p", "top_p", top_p],
    ["top_k", "top_k", top_k],
    ["stop_sequences", "stop", stops?.length ? stops.slice(0, MAX_STOP_SEQUENCES) : undefined],
  ];
  const fields: JsonObject = { [features.maxTokensField]: clampMaxTokens(request, context) };
  for (const [field, parameter, value] of candidates) {
    if (value === undefined || value === null) continue;
    if (acceptsParameter(parameter, context)) fields[parameter] = value;
    else loss.add(field, "dropped");
  }
  return fields;
}

function acceptsParameter(parameter: string, { features, facts }: ChatContext): boolean {
  if (parameter === "top_k" && !features.topK) return false;
  return facts.parameters === undefined || facts.parameters.has(parameter);
}
