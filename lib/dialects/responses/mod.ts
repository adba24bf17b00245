import type { MessagesRequest } from "../../anthropic/schema.ts";
import type { JsonObject } from "../../base/json.ts";
import type { Dialect, TurnContext } from "../dialect.ts";
import { collectToolNames } from "../offered_tools/tool_names.ts";
import { ResponsesAnswerReader } from "./answer/reader.ts";
import type { ResponsesFeatures } from "./features.ts";
import { findFamily } from "./model_families.ts";
import { toResponsesRequest } from "./request/body.ts";
import type { HostContext } from "./responses.ts";

/**
 * Creates the dialect of OpenAI's Responses API for a host with these features.
 *
 * Each request carries the whole conversation, and the host stores nothing. Reasoning returns to the model in encrypted
 * form, sealed in the client's thinking blocks.
 * Source: https://platform.openai.com/docs/api-reference/responses
 */
export function createResponsesDialect(features: ResponsesFeatures): Dialect {
  const createContext = (request: MessagesRequest, turn: TurnContext): HostContext => ({
    ...turn,
    features,
    family: findFamily(turn.model),
    names: collectToolNames(request),
  });
  const toBody = (request: MessagesRequest, turn: TurnContext) =>
    toResponsesRequest(request, createContext(request, turn));
  return {
    name: "responses",
    toBody,
    createReader: (request, turn) => new ResponsesAnswerReader(request, createContext(request, turn)),
    toCountBody: (request, turn) => toCountBody(toBody(request, turn)),
  };
}

/** Fields of a request that can be counted. Source: npm `openai`, resources/responses/input-tokens.d.ts */
const COUNTED_FIELDS = [
  "model",
  "instructions",
  "input",
  "tools",
  "tool_choice",
  "parallel_tool_calls",
  "reasoning",
  "text",
];

function toCountBody(body: JsonObject): JsonObject {
  return Object.fromEntries(COUNTED_FIELDS.flatMap((field) => field in body ? [[field, body[field]]] : []));
}
