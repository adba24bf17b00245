import assert from "node:assert/strict";
import { test } from "node:test";
import { toUpstreamError } from "../../../lib/dialects/errors/upstream_error.ts";
import { errorResponse } from "../../../lib/base/errors.ts";

/** The error that a client receives: status, type, `x-should-retry`, and message. */
type ClientError = [status: number, type: string, retry: "no" | "yes" | "by status", message: string];

/** Creates an error in OpenRouter's form. */
function or(code: number, message: string, metadata: object = {}, more: object = {}) {
  return { error: { code, message, metadata, ...more } };
}

/** Creates an error in OpenAI's form. */
function openai(message: string, code: string | number | null = null, type = "invalid_request_error") {
  return { error: { message, type, param: null, code } };
}

const MESSAGE = "The upstream's own words";
const RAW =
  '{"error":{"message":"messages.1.content: Input should be a valid list","type":"invalid_request_error"}}';

/** By OpenRouter's `error_type`: https://openrouter.ai/docs/api-reference/errors-and-debugging */
const NAMED: [status: number, name: string, parts: [number, string, ClientError[2]]][] = [
  [400, "invalid_request", [400, "invalid_request_error", "no"]],
  [400, "invalid_prompt", [400, "invalid_request_error", "no"]],
  [400, "max_tokens_exceeded", [400, "invalid_request_error", "no"]],
  [400, "string_too_long", [400, "invalid_request_error", "no"]],
  [400, "content_policy_violation", [400, "invalid_request_error", "no"]],
  [400, "refusal", [400, "invalid_request_error", "no"]],
  [400, "invalid_image", [400, "invalid_request_error", "no"]],
  [400, "image_too_large", [400, "invalid_request_error", "no"]],
  [400, "image_too_small", [400, "invalid_request_error", "no"]],
  [400, "unsupported_image_format", [400, "invalid_request_error", "no"]],
  [404, "image_not_found", [400, "invalid_request_error", "no"]],
  [400, "image_download_failed", [400, "invalid_request_error", "no"]],
  [401, "authentication", [401, "authentication_error", "no"]],
  [402, "payment_required", [402, "billing_error", "no"]],
  [403, "permission_denied", [403, "permission_error", "no"]],
  [404, "not_found", [404, "not_found_error", "no"]],
  [408, "timeout", [504, "timeout_error", "by status"]],
  [412, "precondition_failed", [400, "invalid_request_error", "no"]],
  [413, "payload_too_large", [413, "request_too_large", "no"]],
  [422, "unprocessable", [400, "invalid_request_error", "no"]],
  [429, "rate_limit_exceeded", [429, "rate_limit_error", "by status"]],
  [500, "server", [500, "api_error", "by status"]],
  [500, "unmapped", [500, "api_error", "by status"]],
  [502, "provider_unavailable", [502, "api_error", "by status"]],
  [503, "provider_overloaded", [529, "overloaded_error", "by status"]],
];

for (const [status, name, parts] of NAMED) {
  const expected: ClientError = [...parts, MESSAGE];
  test(`toUpstreamError() maps OpenRouter's ${name} in its old form, its new form and in a stream`, async () => {
    assert.deepEqual(await toClientError(status, or(status, MESSAGE, { error_type: name })), expected);
    assert.deepEqual(
      await toClientError(status, { error: { error_type: name, http_status: status, message: MESSAGE } }),
      expected,
    );
    assert.deepEqual(await toClientError(undefined, or(status, MESSAGE, { error_type: name })), expected);
  });
}

const AVAILABLE: [status: number, code: string, more: object, parts: [number, string, ClientError[2]]][] = [
  [400, "model_not_found", { retryable: false }, [404, "not_found_error", "no"]],
  [404, "privacy_restricted", { retryable: false }, [404, "not_found_error", "no"]],
  [404, "constraint_filtered", { retryable: false }, [404, "not_found_error", "no"]],
  [429, "capacity_exhausted", { retryable: true }, [429, "rate_limit_error", "by status"]],
  [429, "capacity_exhausted", { retryable: false }, [429, "rate_limit_error", "no"]],
  [503, "temporarily_unavailable", { retryable: true }, [529, "overloaded_error", "by status"]],
  [404, "a_code_of_a_later_day", { retryable: true }, [404, "not_found_error", "yes"]],
];

for (const [http_status, code, more, parts] of AVAILABLE) {
  test(`toUpstreamError() maps OpenRouter's availability ${code} ${JSON.stringify(more)}`, async () => {
    const availability = { code, ...more, retry_after: 4.2, requested_models: ["acme/talker-1"] };
    const failure = { status: http_status, body: { error: { http_status, message: MESSAGE, availability } } };
    assert.deepEqual(await toClientError(failure.status, failure.body), [...parts, MESSAGE]);
    const error = toUpstreamError(failure);
    assert.equal(error.retryAfter, "5");
    assert.deepEqual(error.details, { availability });
    assert.equal(
      toUpstreamError({ ...failure, headers: new Headers({ "retry-after": "9" }) }).retryAfter,
      "9",
    );
  });
}

const SHAPES: [what: string, status: number | undefined, body: unknown, expected: ClientError][] = [
  ["no body", 503, undefined, [
    529,
    "overloaded_error",
    "by status",
    "Upstream returned 503 without a message",
  ]],
  ["no body and no status", undefined, undefined, [
    502,
    "api_error",
    "by status",
    "Upstream returned 502 without a message",
  ]],
  ["an unknown 4xx", 405, { message: MESSAGE }, [400, "invalid_request_error", "no", MESSAGE]],
  ["a model that is gone", 410, { message: MESSAGE }, [404, "not_found_error", "no", MESSAGE]],
  ["Cloudflare's timeout", 524, {}, [
    504,
    "timeout_error",
    "by status",
    "Upstream returned 524 without a message",
  ]],
  ["Anthropic", 529, { type: "error", error: { type: "overloaded_error", message: MESSAGE } }, [
    529,
    "overloaded_error",
    "by status",
    MESSAGE,
  ]],
  [
    "Anthropic, in a stream",
    undefined,
    { type: "error", error: { type: "overloaded_error", message: MESSAGE } },
    [
      529,
      "overloaded_error",
      "by status",
      MESSAGE,
    ],
  ],
  ["OpenAI", 400, openai(MESSAGE, "invalid_value"), [400, "invalid_request_error", "no", MESSAGE]],
  ["OpenAI's wrong key", 401, openai(MESSAGE, "invalid_api_key"), [
    401,
    "authentication_error",
    "no",
    MESSAGE,
  ]],
  ["OpenAI's empty account", 429, openai(MESSAGE, "insufficient_quota", "insufficient_quota"), [
    402,
    "billing_error",
    "no",
    MESSAGE,
  ]],
  ["Moonshot's empty account", 429, openai(MESSAGE, null, "exceeded_current_quota_error"), [
    402,
    "billing_error",
    "no",
    MESSAGE,
  ]],
  ["Moonshot's load", 429, openai(MESSAGE, null, "engine_overloaded_error"), [
    529,
    "overloaded_error",
    "by status",
    MESSAGE,
  ]],
  ["Z.ai's empty account", 429, { error: { code: "1113", message: MESSAGE } }, [
    402,
    "billing_error",
    "no",
    MESSAGE,
  ]],
  [
    "DeepSeek's empty account",
    402,
    openai("Insufficient Balance", "invalid_request_error", "unknown_error"),
    [
      402,
      "billing_error",
      "no",
      "Insufficient Balance",
    ],
  ],
  [
    "Azure's filter",
    400,
    { error: { code: "content_filter", message: MESSAGE, innererror: { text: "said" } } },
    [
      400,
      "invalid_request_error",
      "no",
      MESSAGE,
    ],
  ],
  ["Azure's limit", 429, { error: { code: "429", message: MESSAGE } }, [
    429,
    "rate_limit_error",
    "by status",
    MESSAGE,
  ]],
  ["Azure's gate", 401, { statusCode: 401, message: MESSAGE }, [401, "authentication_error", "no", MESSAGE]],
  ["Gemini's list", 503, [{ error: { code: 503, message: MESSAGE, status: "UNAVAILABLE" } }], [
    529,
    "overloaded_error",
    "by status",
    MESSAGE,
  ]],
  ["Gemini's wrong key", 400, [{
    error: { code: 400, message: "API key not valid.", status: "INVALID_ARGUMENT" },
  }], [
    401,
    "authentication_error",
    "no",
    "API key not valid.",
  ]],
  ["xAI", 400, { code: "Client specified an invalid argument", error: MESSAGE }, [
    400,
    "invalid_request_error",
    "no",
    MESSAGE,
  ]],
  ["xAI's wrong key", 400, {
    code: "Client specified an invalid argument",
    error: "Incorrect API key provided: xa***yz.",
  }, [
    401,
    "authentication_error",
    "no",
    "Incorrect API key provided: xa***yz.",
  ]],
  ["Ollama", 404, { error: `model "x" not found, try pulling it first` }, [
    404,
    "not_found_error",
    "no",
    'model "x" not found, try pulling it first',
  ]],
  ["Mistral", 400, {
    object: "error",
    message: MESSAGE,
    type: "invalid_request_invalid_args",
    param: null,
    code: "3051",
  }, [
    400,
    "invalid_request_error",
    "no",
    MESSAGE,
  ]],
  ["vLLM, in a stream", undefined, {
    object: "error",
    message: MESSAGE,
    type: "BadRequestError",
    param: null,
    code: 400,
  }, [
    400,
    "invalid_request_error",
    "no",
    MESSAGE,
  ]],
  ["FastAPI's text", 404, { detail: "Not Found" }, [404, "not_found_error", "no", "Not Found"]],
  [
    "FastAPI's list",
    422,
    {
      detail: [
        { type: "missing", loc: ["body", "messages", 0], msg: "Field required", input: "private" },
        {},
      ],
    },
    [400, "invalid_request_error", "no", "body.messages.0: Field required"],
  ],
  ["Mistral's list", 422, {
    object: "error",
    message: { detail: [{ loc: ["body"], msg: "Wrong", input: 1 }] },
  }, [
    400,
    "invalid_request_error",
    "no",
    "body: Wrong",
  ]],
  ["Groq's failed call", 400, openai(MESSAGE, "tool_use_failed"), [502, "api_error", "by status", MESSAGE]],
  ["Groq's failed call, in a stream", undefined, openai(MESSAGE, "tool_use_failed"), [
    502,
    "api_error",
    "by status",
    MESSAGE,
  ]],
  ["llama-box", undefined, { detail: "x", error: { message: MESSAGE } }, [
    502,
    "api_error",
    "by status",
    MESSAGE,
  ]],
  ["OpenRouter's model that nobody has", 400, or(400, "a/b is not a valid model ID"), [
    404,
    "not_found_error",
    "no",
    "a/b is not a valid model ID",
  ]],
  ["OpenRouter's missing feature", 404, or(404, "No endpoints found that support tool use."), [
    404,
    "not_found_error",
    "no",
    "No endpoints found that support tool use; use a model that supports tools, or send none",
  ]],
  ["OpenRouter's moderation", 403, or(403, MESSAGE, { reasons: ["violence"], flagged_input: "private" }), [
    403,
    "permission_error",
    "no",
    MESSAGE,
  ]],
  [
    "OpenRouter's older limit",
    429,
    or(429, "Provider returned error", { provider_name: "Acme", raw: "Slow down" }),
    [
      429,
      "rate_limit_error",
      "by status",
      "Acme: Slow down",
    ],
  ],
  [
    "OpenRouter's earlier attempts",
    400,
    or(400, "Provider returned error", {
      provider_name: "Acme",
      previous_errors: [{ code: 400, message: "Input should be a valid list" }],
    }),
    [400, "invalid_request_error", "no", "Acme: Input should be a valid list"],
  ],
  [
    "a provider that complains of the request",
    400,
    or(400, "Provider returned error", { provider_name: "Acme", raw: RAW }),
    [
      400,
      "invalid_request_error",
      "no",
      "Acme: messages.1.content: Input should be a valid list",
    ],
  ],
  [
    "a provider that says nothing",
    400,
    or(400, "Provider returned error", { provider_name: "Acme", raw: "ERROR" }),
    [
      502,
      "api_error",
      "by status",
      "Provider returned error",
    ],
  ],
  [
    "a provider that shows a page",
    400,
    or(400, "Provider returned error", { provider_name: "Acme", raw: "<html>" }),
    [
      502,
      "api_error",
      "by status",
      "Provider returned error",
    ],
  ],
  [
    "a provider that is unwell",
    400,
    or(400, "Provider returned error", {
      provider_name: "Acme",
      raw: '{"error":{"message":"Internal server error"}}',
    }),
    [502, "api_error", "by status", "Acme: Internal server error"],
  ],
];

for (const [what, status, body, expected] of SHAPES) {
  test(`toUpstreamError() maps ${what}`, async () => {
    assert.deepEqual(await toClientError(status, body), expected);
  });
}

/** Errors of hosts for a conversation that exceeds the context window, and the message for the client. */
const OVERFLOWS: [host: string, status: number | undefined, body: unknown, text: string][] = [
  ["Anthropic", 400, {
    type: "error",
    error: { type: "invalid_request_error", message: "prompt is too long: 210000 tokens > 200000 maximum" },
  }, "prompt is too long: 210000 tokens > 200000 maximum"],
  [
    "Anthropic",
    400,
    openai(
      "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again",
    ),
    "input length and `max_tokens` exceed context limit: 188240 + 21333 > 200000, decrease input length or `max_tokens` and try again",
  ],
  [
    "OpenRouter",
    400,
    or(
      400,
      "This endpoint's maximum context length is 131072 tokens. However, you requested about 140210 tokens (139186 of text input, 1024 in the output). Please reduce the length of either one, or use the context-compression plugin to compress your prompt automatically.",
    ),
    "prompt is too long: 140210 tokens > 131072 maximum",
  ],
  [
    "OpenRouter, the answer too long",
    400,
    or(
      400,
      "This endpoint's maximum context length is 131072 tokens. However, you requested about 140000 tokens (100000 of text input, 8000 of tool input, 32000 in the output). Please reduce the length of either one.",
    ),
    "input length and `max_tokens` exceed context limit: 108000 + 32000 > 131072, decrease input length or `max_tokens` and try again",
  ],
  [
    "OpenRouter, no room left",
    400,
    or(
      400,
      "This endpoint's maximum context length is 131072 tokens. However, you requested about 160000 tokens (128000 of text input, 32000 in the output).",
    ),
    "prompt is too long: 160000 tokens > 131072 maximum",
  ],
  [
    "OpenRouter, by name",
    400,
    or(400, "Too much", { error_type: "context_length_exceeded" }),
    "prompt is too long: Too much",
  ],
  [
    "OpenRouter, in a stream",
    undefined,
    or(400, "Too much", { error_type: "context_length_exceeded" }),
    "prompt is too long: Too much",
  ],
  [
    "OpenAI",
    400,
    openai(
      "This model's maximum context length is 128000 tokens. However, your messages resulted in 140000 tokens. Please reduce the length of the messages.",
      "context_length_exceeded",
    ),
    "prompt is too long: 140000 tokens > 128000 maximum",
  ],
  [
    "OpenAI, without numbers",
    400,
    openai("Your input exceeds the context window of this model.", "context_length_exceeded"),
    "prompt is too long: Your input exceeds the context window of this model.",
  ],
  [
    "OpenAI, more than a minute has",
    429,
    openai(
      "Request too large for gpt-x in organization org-x on tokens per min (TPM): Limit 30000, Requested 35000. The input or output tokens must be reduced in order to run successfully.",
      "rate_limit_exceeded",
      "tokens",
    ),
    "prompt is too long: 35000 tokens > 30000 maximum",
  ],
  [
    "DeepSeek",
    400,
    openai(
      "This model's maximum context length is 65536 tokens. However, you requested 70000 tokens (66000 in the messages, 4000 in the completion). Please reduce the length of the messages or completion.",
    ),
    "prompt is too long: 70000 tokens > 65536 maximum",
  ],
  ["vLLM", 400, {
    object: "error",
    code: 400,
    message:
      "'max_tokens' or 'max_completion_tokens' is too large: 4096. This model's maximum context length is 8192 tokens and your request has 5000 input tokens (4096 > 8192 - 5000).",
  }, "prompt is too long: 9096 tokens > 8192 maximum"],
  [
    "vLLM",
    400,
    {
      object: "error",
      code: 400,
      message:
        "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context length is 32768 tokens and your request has 5000 input tokens (32000 > 32768 - 5000).",
    },
    "input length and `max_tokens` exceed context limit: 5000 + 32000 > 32768, decrease input length or `max_tokens` and try again",
  ],
  [
    "vLLM",
    400,
    openai(
      "You passed 32769 input tokens and requested 16 output tokens. However, the model's context length is only 32768 tokens, resulting in a maximum input length of 32752 tokens.",
      400,
      "BadRequestError",
    ),
    "prompt is too long: 32785 tokens > 32768 maximum",
  ],
  [
    "vLLM",
    400,
    openai(
      "The decoder prompt (length 40000) is longer than the maximum model length of 32768.",
      400,
      "BadRequestError",
    ),
    "prompt is too long: 40000 tokens > 32768 maximum",
  ],
  ["llama.cpp", 400, {
    error: {
      code: 400,
      message: "request (5000 tokens) exceeds the available context size (4096 tokens), try increasing it",
      type: "exceed_context_size_error",
      n_prompt_tokens: 5000,
      n_ctx: 4096,
    },
  }, "prompt is too long: 5000 tokens > 4096 maximum"],
  ["llama.cpp, the numbers apart", 400, {
    error: {
      code: 400,
      message: "the request exceeds the available context size, try increasing it",
      type: "exceed_context_size_error",
      n_prompt_tokens: 5000,
      n_ctx: 4096,
    },
  }, "prompt is too long: 5000 tokens > 4096 maximum"],
  [
    "llama.cpp of old",
    500,
    openai(
      "the request exceeds the available context size. try increasing the context size or enable context shift",
    ),
    "prompt is too long: the request exceeds the available context size. try increasing the context size or enable context shift",
  ],
  ["Gemini", 400, [{
    error: {
      code: 400,
      message: "The input token count (1100000) exceeds the maximum number of tokens allowed (1048576).",
      status: "INVALID_ARGUMENT",
    },
  }], "prompt is too long: 1100000 tokens > 1048576 maximum"],
  ["Vertex", 400, [{
    error: {
      code: 400,
      message:
        "Unable to submit request because the input token count is 40000 but model only supports up to 32768. Reduce the input token count and try again.",
    },
  }], "prompt is too long: 40000 tokens > 32768 maximum"],
  [
    "Groq",
    400,
    openai("Please reduce the length of the messages or completion.", "context_length_exceeded"),
    "prompt is too long: Please reduce the length of the messages or completion.",
  ],
  [
    "Groq, more than a minute has",
    413,
    openai(
      "Request too large for model `x` in organization `org_x` service tier `on_demand` on tokens per minute (TPM): Limit 6000, Requested 7,100, please reduce your message size and try again.",
      "rate_limit_exceeded",
      "tokens",
    ),
    "prompt is too long: 7100 tokens > 6000 maximum",
  ],
  ["Mistral", 400, {
    object: "error",
    message:
      "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
    type: "invalid_request_invalid_args",
    code: "3051",
  }, "prompt is too long: 40000 tokens > 32768 maximum"],
  ["xAI", 400, {
    code: "Client specified an invalid argument",
    error: "This model's maximum prompt length is 131072 but the request contains 140000 tokens.",
  }, "prompt is too long: 140000 tokens > 131072 maximum"],
  [
    "Z.ai",
    400,
    { error: { code: "1261", message: "Prompt exceeds max length" } },
    "prompt is too long: Prompt exceeds max length",
  ],
  [
    "Moonshot",
    400,
    openai("Invalid request: Your request exceeded model token limit: 131072 (requested: 140000)"),
    "prompt is too long: 140000 tokens > 131072 maximum",
  ],
  [
    "Ollama",
    400,
    { error: "prompt too long; exceeded max context length by 12 tokens" },
    "prompt is too long: prompt too long; exceeded max context length by 12 tokens",
  ],
  ["LM Studio", 400, {
    error:
      "Trying to keep the first 5000 tokens when context the overflows. However, the model is loaded with context length of only 4096 tokens, which is not enough.",
  }, "prompt is too long: 5000 tokens > 4096 maximum"],
  [
    "Bedrock, behind OpenRouter",
    400,
    or(400, "Provider returned error", {
      provider_name: "Amazon Bedrock",
      raw: '{"message":"Input is too long for requested model."}',
    }),
    "prompt is too long: Amazon Bedrock: Input is too long for requested model.",
  ],
  [
    "Cerebras",
    400,
    openai(
      "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
      "context_length_exceeded",
    ),
    "prompt is too long: 9000 tokens > 8192 maximum",
  ],
  ["text-generation-inference", 422, {
    error:
      "Input validation error: `inputs` tokens + `max_new_tokens` must be <= 8193. Given: 8000 `inputs` tokens and 1000 `max_new_tokens`",
  }, "prompt is too long: 9000 tokens > 8193 maximum"],
];

for (const [host, status, body, text] of OVERFLOWS) {
  test(`toUpstreamError() rewords ${host}'s context overflow so that clients compact: ${text.slice(0, 60)}`, async () => {
    assert.deepEqual(await toClientError(status, body), [400, "invalid_request_error", "no", text]);
  });
}

const NO_OVERFLOWS: [status: number, text: string, type: string][] = [
  [
    429,
    "Rate limit reached for gpt-x on tokens per min (TPM): Limit 30000, Used 29000, Requested 2000. Please try again in 2s.",
    "rate_limit_error",
  ],
  [429, "Too many tokens, please wait before trying again.", "rate_limit_error"],
  [
    400,
    "max_tokens is too large: 100000. This model supports at most 16384 completion tokens.",
    "invalid_request_error",
  ],
  [
    400,
    "Invalid 'messages[1].content': string too long. Expected maxlength 10, context window exceeds limit",
    "invalid_request_error",
  ],
  [401, "No key to ask for the maximum context length", "authentication_error"],
  [413, "Request entity too large", "request_too_large"],
];

for (const [status, text, type] of NO_OVERFLOWS) {
  test(`toUpstreamError() does not treat as a context overflow: ${status} ${text}`, () => {
    const error = toUpstreamError({ status, body: openai(text) });
    assert.deepEqual([error.type, error.message], [type, text]);
  });
}

test("toUpstreamError() forwards the retry delay, including Gemini's", () => {
  const details = [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", retryDelay: "41.2s" }];
  const body = [{ error: { code: 429, message: MESSAGE, status: "RESOURCE_EXHAUSTED", details } }];
  assert.equal(toUpstreamError({ status: 429, body }).retryAfter, "42");
});

test("toUpstreamError() contains no key, no input and no raw body", () => {
  const secret = "sk-or-v1-0123456789abcdef";
  const body = or(400, `Bad ${secret}`, {
    raw: secret,
    flagged_input: "private",
    reasons: [secret, { deep: { deeper: { deepest: 1 } } }],
    provider_name: "x".repeat(1000),
  });
  const { message, details } = toUpstreamError({ status: 400, body: { ...body, user_id: "private" } });
  const received = JSON.stringify([message, details]);
  assert.doesNotMatch(received, /0123456789|private|deepest/);
  assert.ok(received.length < 700, received);
  assert.equal(toUpstreamError({ status: 400, body: openai("x".repeat(9000)) }).message.length, 2000);
});

test("toUpstreamError() keeps Anthropic's details", () => {
  const details = {
    error_code: "image_dimensions_too_large",
    max_side_length_pixels: 8000,
    paths: ["messages.0"],
  };
  const body = { type: "error", error: { type: "invalid_request_error", message: MESSAGE, details } };
  assert.deepEqual(toUpstreamError({ status: 400, body }).details, details);
});

test("toUpstreamError() prefers the code of a missing model to that of a bad request", async () => {
  const availability = { code: "model_not_found", retryable: false };
  const error = { http_status: 400, error_type: "invalid_request", message: MESSAGE, availability };
  assert.deepEqual(await toClientError(400, { error }), [404, "not_found_error", "no", MESSAGE]);
});

const THOUGHTS = [
  "messages.1.content.0: Invalid `signature` in `thinking` block",
  "messages.3.content.0: `thinking` or `redacted_thinking` blocks in the latest assistant message cannot be modified.",
  "messages.1.content.0: The block is bound to a different conversation. The `system` prompt differs",
  "Unable to submit request because Thought signature is not valid.",
  "Function call is missing a thought_signature in functionCall parts.",
  "The encrypted content gAAA could not be verified.",
  "Item 'rs_0123' of type 'reasoning' was provided without its required following item.",
  "Item 'fc_0123' of type 'function_call' was provided without its required 'reasoning' item: 'rs_0123'.",
  "Duplicate item found with id rs_0123. Remove duplicate items from your input and try again.",
];

test("toUpstreamError() recognises rejected thinking blocks", () => {
  for (const text of THOUGHTS) {
    assert.deepEqual(
      toUpstreamError({ status: 400, body: openai(text) }).adjustment,
      { change: "drop_earlier_thinking" },
      text,
    );
    const raw = JSON.stringify(openai(text));
    const body = or(400, "Provider returned error", { provider_name: "Acme", raw });
    assert.deepEqual(
      toUpstreamError({ status: 400, body }).adjustment,
      { change: "drop_earlier_thinking" },
      text,
    );
    assert.equal(toUpstreamError({ status: 500, body: openai(text) }).adjustment, undefined, text);
  }
  for (
    const text of ["`max_tokens` must be greater than `thinking.budget_tokens`", "signature: Field required"]
  ) {
    assert.equal(toUpstreamError({ status: 400, body: openai(text) }).adjustment, undefined, text);
  }
  const coded = { error: { message: "Bad input", code: "invalid_encrypted_content" } };
  assert.deepEqual(toUpstreamError({ status: 400, body: coded }).adjustment, {
    change: "drop_earlier_thinking",
  });
});

const NO_PROVIDER: [text: string, hint: RegExp][] = [
  ["No endpoints found that support tool use.", /; use a model that supports tools, or send none$/],
  ["No endpoints found that support image input", /supports images/],
  ["No endpoints found that support the provided 'tool_choice' value.", /or let the model choose$/],
  ["No endpoints found that support cache control", /"cache_control": false/],
  [
    "No endpoints found matching your data policy (Free model publication).",
    /the account's privacy settings/,
  ],
  ["No allowed providers are available for the selected model.", /the request's requirements/],
];

test("toUpstreamError() adds a hint if no provider serves the request", () => {
  for (const [text, hint] of NO_PROVIDER) {
    assert.match(toUpstreamError({ status: 404, body: or(404, text) }).message, hint);
  }
  assert.equal(toUpstreamError({ status: 404, body: or(404, MESSAGE) }).message, MESSAGE);
  const [[text] = [""]] = NO_PROVIDER;
  assert.equal(toUpstreamError({ status: 400, body: or(400, text) }).message, text);
});

test("toUpstreamError() recognises an alternative that the upstream offers", () => {
  const insufficientCredits = or(
    402,
    "This request requires more credits, or fewer max_tokens. You can only afford 310.",
  );
  assert.deepEqual(toUpstreamError({ status: 402, body: insufficientCredits }).adjustment, {
    change: "affordable_tokens",
    tokens: 310,
  });
  const providerError = or(400, "Provider returned error", { provider_name: "Acme", raw: "ERROR" });
  assert.deepEqual(toUpstreamError({ status: 400, body: providerError }).adjustment, {
    change: "exclude_provider",
    provider: "Acme",
  });
  const requestError = or(400, "Provider returned error", { provider_name: "Acme", raw: RAW });
  for (
    const body of [
      requestError,
      or(402, "Insufficient credits"),
      or(429, "Provider returned error", { raw: "busy" }),
    ]
  ) {
    assert.equal(toUpstreamError({ status: body.error.code, body }).adjustment, undefined);
  }
});

async function toClientError(status: number | undefined, body: unknown): Promise<ClientError> {
  const response = errorResponse(toUpstreamError({ status, body }), "req_1");
  const { error } = await response.json();
  const retry = response.headers.get("x-should-retry");
  return [
    response.status,
    error.type,
    retry === null ? "by status" : retry === "true" ? "yes" : "no",
    error.message,
  ];
}
