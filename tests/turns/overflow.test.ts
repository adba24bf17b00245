import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { dig, parseJson } from "../kit/json.ts";
import {
  API_SETTINGS,
  minimalRequest,
  MODELS,
  UPSTREAM_APIS,
  type UpstreamApi,
} from "../kit/requests/request.ts";
import { FakeUpstream } from "../kit/upstream.ts";

/** Error messages of hosts for a request that is too long, and the token counts in them. */
const MESSAGES: [host: string, status: number, upstreamMessage: string, limit?: number, excess?: number][] = [
  [
    "OpenAI",
    400,
    "Your input exceeds the context window of this model. Please adjust your input and try again.",
  ],
  ["Bedrock", 400, "Input is too long for requested model."],
  ["llama.cpp", 500, "Context size has been exceeded."],
  ["Groq", 400, "Please reduce the length of the messages or completion."],
  ["Z.ai", 400, "Prompt exceeds max length"],
  ["MiniMax", 400, "invalid params, context window exceeds limit (2013)"],
  [
    "LM Studio",
    400,
    "The number of tokens to keep from the initial prompt is greater than the context length.",
  ],
  ["Fireworks", 400, "The prompt is too long for this model"],
  ["StepFun", 400, "the input tokens exceed what the model can take"],
  ["Ollama", 400, "the input length exceeds the context length"],
  ["Ollama", 400, "prompt too long; exceeded max context length by 12 tokens", undefined, 12],
  [
    "DashScope",
    400,
    "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 258048]",
    258_048,
  ],
  ["vLLM", 400, "The prompt is longer than the maximum context length of 32,768", 32_768],
  ["SGLang", 400, "The input is too long: it exceeds the model's context length of 4096 tokens", 4096],
];

const WINDOW = 131_072;

async function askForMessage(
  api: UpstreamApi,
  { status, body, known }: { status: number; body: object; known: boolean },
) {
  const models = JSON.stringify({ data: [{ id: MODELS[api], context_length: WINDOW }] });
  const upstream = new FakeUpstream(
    { status, headers: { "content-type": "application/json" }, body: JSON.stringify(body) },
    { models: known ? models : undefined },
  );
  const gateway = createTestGateway({ upstream, settings: API_SETTINGS[api] });
  await gateway.ready();
  const response = await gateway.post(minimalRequest(api));
  const error = dig(parseJson(await response.text()), "error");
  assert.deepEqual([response.status, dig(error, "type")], [400, "invalid_request_error"]);
  return {
    message: String(dig(error, "message")),
    upstreamMessage: dig(error, "details", "upstream_message"),
  };
}

for (const [host, status, upstreamMessage, limit, excess] of MESSAGES) {
  test(`POST /v1/messages counts the tokens of an overflow whose upstream does not: ${host}, ${upstreamMessage}`, async () => {
    for (const api of UPSTREAM_APIS) {
      for (const known of [true, false]) {
        const body = { error: { message: upstreamMessage } };
        const received = await askForMessage(api, { status, body, known });
        const [, tokens = "", maximum = ""] =
          /^prompt is too long: (\d+) tokens > (\d+) maximum$/.exec(received.message) ?? [];
        assert.ok(Number(tokens) > Number(maximum) && Number(maximum) > 0, received.message);
        if (limit !== undefined || known) assert.equal(Number(maximum), limit ?? WINDOW);
        if (excess !== undefined) assert.equal(Number(tokens) - Number(maximum), excess);
        assert.ok(
          upstreamMessage.toLowerCase().endsWith(String(received.upstreamMessage).toLowerCase()),
          String(received.upstreamMessage),
        );
      }
    }
  });
}

test("POST /v1/messages does not change the counts that an upstream reports", async () => {
  const body = {
    error: { message: "maximum context length is 8192 tokens. However, you requested 9000 tokens" },
  };
  const { message, upstreamMessage } = await askForMessage("chat", { status: 400, body, known: true });
  assert.deepEqual([message, upstreamMessage], ["prompt is too long: 9000 tokens > 8192 maximum", undefined]);
});
