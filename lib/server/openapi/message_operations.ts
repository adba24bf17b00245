import * as v from "valibot";
import { CountTokensRequest, MessagesRequest } from "../../anthropic/schema.ts";
import { json, named, type Operation } from "./operation.ts";

const Text = v.string();
const Count = v.number();
const Nullable = v.nullable(Text);

const Usage = v.looseObject({ input_tokens: Count, output_tokens: Count });

const Message = v.looseObject({
  id: Text,
  type: v.literal("message"),
  role: v.literal("assistant"),
  model: Text,
  content: v.array(v.looseObject({ type: Text })),
  stop_reason: Nullable,
  stop_sequence: Nullable,
  usage: Usage,
});

/** A model in Anthropic's format or, for clients of OpenAI, in theirs. */
const Model = v.looseObject({ id: Text });
const ModelPage = v.looseObject({ data: v.array(named("Model", Model)) });

const ModelUse = v.object({
  model: Text,
  answered_by: Text,
  requests: Count,
  input_tokens: Count,
  output_tokens: Count,
  cache_read_input_tokens: Count,
  cost_usd: Count,
});
const Session = v.object({
  id: Text,
  type: v.literal("session"),
  started_at: Text,
  last_at: Text,
  requests: Count,
  failed: Count,
  answered_by: Nullable,
  usage: v.object({
    input_tokens: Count,
    output_tokens: Count,
    cache_read_input_tokens: Count,
    cost_usd: Count,
  }),
  models: v.array(ModelUse),
  limits: v.array(v.object({
    scope: v.picklist(["key", "session"]),
    limit: Text,
    allowed: Count,
    used: Count,
    left: Count,
    resets_at: Text,
  })),
});

const MESSAGES = {
  summary: "Answers a message with the model, whole or as a stream of events",
  headers: {
    "anthropic-version": "version of the API; any is accepted",
    "anthropic-beta": "betas, separated by commas",
    "idempotency-key": "repeats with this key receive the same answer",
    "x-claude-code-session-id": "session that the message belongs to",
    "x-gateway-tools": "tools of the gateway that the model may use",
  },
  body: json("MessagesRequest", MessagesRequest),
};

/** The endpoints of messages, token counts, models and sessions. */
export const MESSAGE_OPERATIONS: Readonly<Record<string, Operation>> = {
  "POST /v1/messages": {
    ...MESSAGES,
    answer: json("Message", Message),
    orElse: { media: "text/event-stream", when: "`stream` is true" },
  },
  "POST /v1/messages/stream": {
    ...MESSAGES,
    summary: "Answers a message as a stream of events, whatever `stream` says",
    answer: { media: "text/event-stream" },
  },
  "POST /v1/messages/count_tokens": {
    summary: "Counts the tokens of a message without asking the model",
    body: json("CountTokensRequest", CountTokensRequest),
    answer: json("TokenCount", v.looseObject({ input_tokens: Count })),
  },
  "GET /v1/models": {
    summary:
      "Lists the models: for clients with `anthropic-version` or `x-api-key` in Anthropic's format, else in OpenAI's",
    headers: { "anthropic-version": "selects Anthropic's format" },
    query: {
      limit: "size of a page, 1 to 1000",
      after_id: "the page after this model",
      before_id: "the page before this model",
      "lifecycle[]": "`active`, `deprecated` or `retired`",
    },
    answer: json("ModelPage", ModelPage),
  },
  "GET /v1/models/{id}": {
    summary: "Describes a model; the id may contain slashes",
    headers: { "anthropic-version": "selects Anthropic's format" },
    answer: json("Model", Model),
  },
  "GET /v1/sessions/{id}": {
    summary: "Tells what a session of the caller's key has used, and what is left of its limits",
    query: { model: "model that the line of text shows" },
    answer: json("Session", Session),
    orElse: { media: "text/plain", when: "`accept` begins with `text/plain`" },
  },
};
