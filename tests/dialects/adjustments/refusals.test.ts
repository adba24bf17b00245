import assert from "node:assert/strict";
import { test } from "node:test";
import { type Adjustment, toAdjustmentLabel } from "../../../lib/dialects/adjustments/adjustment.ts";
import { findAdjustment } from "../../../lib/dialects/adjustments/refusals.ts";

/** Error messages of hosts, and the adjustment that they require. */
const REFUSED: readonly [message: string, label: string][] = [
  // parameters
  [
    "Unsupported parameter: 'reasoning.effort' is not supported with this model.",
    "drop_parameter reasoning.effort",
  ],
  ["Unrecognized request argument supplied: top_k", "drop_parameter top_k"],
  ["Unknown parameter: 'session_id'.", "drop_parameter session_id"],
  ["Model grok-4.6 does not support parameter stop.", "drop_parameter stop"],
  ["Model grok-5 does not support parameter reasoningEffort.", "drop_parameter reasoning_effort"],
  ["Argument not supported on this model: stop", "drop_parameter stop"],
  ["property 'stream_options' is unsupported", "drop_parameter stream_options"],
  ["`temperature` is deprecated for this model.", "drop_parameter temperature"],
  [
    "`top_p` and `temperature` cannot both be specified for this model. Please use only one.",
    "drop_parameter top_p",
  ],
  ["body.session_id: Extra inputs are not permitted", "drop_parameter session_id"],
  ["context_management: Extra inputs are not permitted", "drop_parameter context_management"],
  ["Extra inputs are not permitted, field: 'stream_options', value: {}", "drop_parameter stream_options"],
  ["Malformed input request: #: extraneous key [top_k] is not permitted", "drop_parameter top_k"],
  ["Additional properties are not allowed ('top_k' was unexpected)", "drop_parameter top_k"],
  ["[{'code': 'unrecognized_keys'}] Unrecognized key(s) in object: 'top_k'", "drop_parameter top_k"],
  ["Failed to parse: unknown field `session_id`, expected one of `model`", "drop_parameter session_id"],
  [
    "Unsupported value: 'temperature' does not support 0.2 with this model. Only the default (1) value is supported.",
    "drop_parameter temperature",
  ],
  ["tools.3.cache_control: Extra inputs are not permitted", "drop_cache_control"],
  ["tools.0.custom.strict: Extra inputs are not permitted", "drop_strict"],
  ["tools.0.custom.defer_loading: Extra inputs are not permitted", "drop_field tools defer_loading"],
  ["messages.1.content.0.tool_use.caller: Extra inputs are not permitted", "drop_field messages caller"],
  ["messages.2.assistant.reasoning_content: Extra inputs are not permitted", "drop_reasoning_fields"],
  [
    "system.0.cache_control.ephemeral.scope: Extra inputs are not permitted",
    "drop_field cache_control scope",
  ],
  [
    "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.",
    "rename_parameter max_tokens max_completion_tokens",
  ],
  // thinking
  [
    "Unsupported value: 'none' is not supported with the 'gpt-5.1-codex' model. Supported values are: 'low', 'medium', and 'high'.",
    "efforts low,medium,high",
  ],
  ["`reasoning_effort` must be one of `none` or `default`", "efforts none,default"],
  [
    "[{'loc': ('body', 'reasoning_effort'), 'msg': \"Input should be 'low', 'medium' or 'high'\"}]",
    "efforts low,medium,high",
  ],
  ['level "max" not supported, valid levels: low, medium, high, xhigh', "efforts low,medium,high,xhigh"],
  ['"qwen2.5:7b" does not support thinking', "drop_thinking_options"],
  ["adaptive thinking is not supported on this model", "budgeted_thinking"],
  [
    "thinking: Input tag 'adaptive' found using 'type' does not match any of the expected tags: 'disabled', 'enabled'",
    "budgeted_thinking",
  ],
  [
    '"thinking.type.enabled" is not supported for this model. Use "thinking.type.adaptive" and "output_config.effort".',
    "adaptive_thinking",
  ],
  ["Reasoning is mandatory for this endpoint and cannot be disabled.", "always_thinks"],
  ["Budget 0 is invalid. This model only works in thinking mode.", "always_thinks"],
  [
    "thinking is enabled but reasoning_content is missing in assistant tool call message at index 2",
    "return_reasoning",
  ],
  // limits
  [
    "max_tokens is too large: 32000. This model supports at most 16384 completion tokens.",
    "cap_tokens 16384",
  ],
  ["<400> InternalError.Algo.InvalidParameter: Range of max_tokens should be [1, 8192]", "cap_tokens 8192"],
  [
    "`max_tokens` must be less than or equal to `8192`, the maximum value for `max_tokens` is less than the `context_window` for this model",
    "cap_tokens 8192",
  ],
  [
    "Invalid 'tools': array too long. Expected an array with maximum length 128, but got an array with length 150 instead.",
    "max_tools 128",
  ],
  // roles and content
  ["System message must be at the beginning.", "system_as_user"],
  ["messages.1.role: Input should be 'user' or 'assistant'", "system_as_user"],
  [
    'messages: Unexpected role "system". The Messages API accepts a top-level `system` parameter',
    "system_as_user",
  ],
  ["Only user and assistant roles are supported!", "system_as_user true"],
  ["Conversation roles must alternate user/assistant/user/assistant/...", "alternate_roles"],
  ["Unexpected role 'user' after role 'tool'", "alternate_roles"],
  ["facebook/opt-125m is not a multimodal model", "blocks_as_text image"],
  ["At most 0 image(s) may be provided in one prompt.", "blocks_as_text image"],
  ["Invalid content type. image_url is only supported by certain models.", "blocks_as_text image"],
  ["Unsupported content part type for text-only server: image_url", "blocks_as_text image"],
  ["This model does not support images.", "blocks_as_text image"],
  ["unknown variant `file`, expected `text` or `image_url`", "blocks_as_text document"],
  ["invalid request: unknown content type tool_reference", "blocks_as_text tool_reference"],
  // tools and schemas
  ["Thinking mode does not support this tool_choice", "tool_choice_auto"],
  ["No endpoints found that support the provided 'tool_choice' value.", "tool_choice_auto"],
  ["Too many strict tools: at most 20", "drop_strict"],
  ["For 'integer' type, properties maximum, minimum are not supported", "drop_keyword maximum"],
  [
    "tools.0.custom.input_schema: input_schema does not support oneOf, allOf, or anyOf at the top level",
    "drop_keyword oneOf",
  ],
  [
    "Invalid JSON payload received. Unknown name \"const\" at 'tools[0].function_declarations[0].parameters': Cannot find field.",
    "simple_schemas",
  ],
  ["Unexpected value(s) `context-1m-2025-08-07` for the `anthropic-beta` header", "drop_betas"],
  ["No endpoints found that support cache control", "drop_cache_control"],
];

test("findAdjustment() finds the adjustment for an error message", () => {
  for (const [message, label] of REFUSED) {
    const found = findAdjustment({ type: "invalid_request_error", message });
    assert.equal(found && toAdjustmentLabel(found), label, message);
  }
});

test("findAdjustment() reads `param` if the code states that it is not supported", () => {
  const message = "Bad request";
  const body = (code: string) => ({ error: { message, code, param: "store" } });
  const expected: Adjustment = { change: "drop_parameter", parameter: "store" };
  const type = "invalid_request_error";
  assert.deepEqual(findAdjustment({ type, message, body: body("unsupported_parameter") }), expected);
  assert.equal(findAdjustment({ type, message, body: body("invalid_value") }), undefined);
});

/** Error messages that require no adjustment: of a value, of an essential part, of a size, of an account. */
const OTHERS: readonly string[] = [
  "Bad request",
  "temperature: Input should be less than or equal to 1",
  "image exceeds 5 MB maximum: 5316852 bytes > 5242880 bytes",
  "Unsupported image format: image/tiff",
  "The image data you provided does not represent a valid image",
  "messages.0.content.0.image.source.base64: unsupported media type",
  "messages: Extra inputs are not permitted",
  "model: Extra inputs are not permitted",
  "tools.0.custom.input_schema: JSON schema is invalid",
  "messages.1.content.0.tool_use.input: Field required",
  "Unsupported parameter: 'messages' is not supported with this model.",
  "Unsupported content type: text",
  "tools.0.custom.name: String should match pattern '^[a-zA-Z0-9_-]{1,128}$'",
  "registry.ollama.ai/library/gemma:2b does not support tools",
  "This model's maximum context length is 8192 tokens",
  "max_tokens must be greater than thinking.budget_tokens",
  "Your credit balance is too low to access the API",
];

test("findAdjustment() finds no adjustment for other errors", () => {
  for (const message of OTHERS) {
    assert.equal(findAdjustment({ type: "invalid_request_error", message }), undefined, message);
  }
  const [[refused] = [""]] = REFUSED;
  for (
    const type of ["rate_limit_error", "authentication_error", "overloaded_error", "billing_error"] as const
  ) {
    assert.equal(findAdjustment({ type, message: refused }), undefined, type);
  }
});
