import type { MessagesRequest } from "../../../anthropic/schema.ts";
import type { JsonObject } from "../../../base/json.ts";
import type { ChatContext } from "../chat.ts";
import { toLimit } from "./max_tokens.ts";

/** The most stop sequences that chat completions take. */
const MAX_STOPS = 4;

/** Says how long the answer may be, where it ends and how it is drawn, as far as the model can be told. */
export function toSampling(request: MessagesRequest, context: ChatContext): JsonObject {
  const { features, loss } = context;
  const { temperature, top_p, top_k, stop_sequences: stops = [] } = request;
  stops?.forEach((_stop, at) => at >= MAX_STOPS && loss.add(`stop_sequences.${at}`, "dropped"));
  const wanted: [field: string, parameter: string, value: unknown][] = [
    ["temperature", "temperature", temperature],
    ["top_p", "top_p", top_p],
    ["top_k", "top_k", top_k],
    ["stop_sequences", "stop", stops?.length ? stops.slice(0, MAX_STOPS) : undefined],
  ];
  const said: JsonObject = { [features.limit]: toLimit(request, context) };
  for (const [field, parameter, value] of wanted) {
    if (value === undefined || value === null) continue;
    if (isTaken(parameter, context)) said[parameter] = value;
    else loss.add(field, "dropped");
  }
  return said;
}

function isTaken(parameter: string, { features, facts }: ChatContext): boolean {
  if (parameter === "top_k" && !features.topK) return false;
  return facts.parameters === undefined || facts.parameters.has(parameter);
}
