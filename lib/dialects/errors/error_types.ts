import type { ErrorType } from "../../base/errors.ts";

/** OpenRouter's stable error types. Source: https://openrouter.ai/docs/api-reference/errors-and-debugging */
export const OPENROUTER_ERROR_TYPES: ReadonlyMap<string, ErrorType> = toMap([
  ["invalid_request_error", [
    "context_length_exceeded",
    "max_tokens_exceeded",
    "token_limit_exceeded",
    "string_too_long",
    "invalid_request",
    "invalid_prompt",
    "precondition_failed",
    "unprocessable",
    "content_policy_violation",
    "refusal",
    "invalid_image",
    "image_too_large",
    "image_too_small",
    "unsupported_image_format",
    "image_not_found",
    "image_download_failed",
  ]],
  ["authentication_error", ["authentication"]],
  ["billing_error", ["payment_required"]],
  ["permission_error", ["permission_denied"]],
  ["not_found_error", ["not_found", "model_not_found"]],
  ["timeout_error", ["timeout"]],
  ["request_too_large", ["payload_too_large"]],
  ["rate_limit_error", ["rate_limit_exceeded", "capacity_exhausted"]],
  ["overloaded_error", ["provider_overloaded", "temporarily_unavailable"]],
  ["api_error", ["provider_unavailable", "server", "unmapped"]],
]);

/** Codes of OpenAI's policies. Source: npm `openai`, resources/responses/responses.d.ts */
export const OPENAI_POLICY_CODES: readonly string[] = [
  "invalid_prompt",
  "bio_policy",
  "image_content_policy_violation",
];

/** Codes of invalid requests in a stream of the Responses API. Source: npm `openai`, resources/responses/responses.d.ts */
const OPENAI_REQUEST_CODES: readonly string[] = [
  "data_residency_mismatch",
  "invalid_value",
  "unsupported_value",
  "invalid_image",
  "invalid_image_format",
  "invalid_base64_image",
  "invalid_image_url",
  "invalid_image_mode",
  "image_too_large",
  "image_too_small",
  "image_parse_error",
  "image_file_too_large",
  "image_file_not_found",
  "unsupported_image_media_type",
  "empty_image_file",
  "failed_to_download_image",
];

/** Error codes and types of other hosts that are more specific than their HTTP status. */
export const HOST_ERROR_CODES: ReadonlyMap<string, ErrorType> = toMap([
  ["invalid_request_error", ["content_filter", ...OPENAI_POLICY_CODES]],
  ["authentication_error", ["invalid_api_key"]],
  // OpenAI, Moonshot and Z.ai report an empty account with status 429, but waiting does not help.
  ["billing_error", ["insufficient_quota", "exceeded_current_quota_error", "1113"]],
  ["not_found_error", ["model_not_found", "model_decommissioned"]],
  ["overloaded_error", ["engine_overloaded_error", "server_is_overloaded", "slow_down"]],
  // Groq sends 400 for an invalid call of the model. The request is valid, and a retry may succeed.
  ["api_error", ["tool_use_failed"]],
]);

/** Codes for failures within a stream. An HTTP status is more specific: OpenAI calls most failures invalid requests. */
export const FALLBACK_ERROR_CODES: ReadonlyMap<string, ErrorType> = toMap([
  ["invalid_request_error", ["invalid_request_error", "BadRequestError", ...OPENAI_REQUEST_CODES]],
  ["authentication_error", ["authentication_error"]],
  ["billing_error", ["billing_error"]],
  ["permission_error", ["permission_error"]],
  ["not_found_error", ["not_found_error", "NotFoundError"]],
  ["timeout_error", ["timeout_error"]],
  ["request_too_large", ["request_too_large"]],
  ["rate_limit_error", ["rate_limit_error", "rate_limit_exceeded"]],
  ["overloaded_error", ["overloaded_error", "service_unavailable"]],
  ["api_error", ["api_error", "server_error", "internal_server_error"]],
]);

const STATUS_ERROR_TYPES: Record<number, ErrorType> = {
  401: "authentication_error",
  402: "billing_error",
  403: "permission_error",
  404: "not_found_error",
  408: "timeout_error",
  409: "conflict_error",
  410: "not_found_error",
  413: "request_too_large",
  429: "rate_limit_error",
  503: "overloaded_error",
  504: "timeout_error",
  524: "timeout_error",
  529: "overloaded_error",
};

/** Returns the error type of an HTTP status. */
export function errorTypeOfStatus(status: number): ErrorType {
  return STATUS_ERROR_TYPES[status] ?? (status < 500 ? "invalid_request_error" : "api_error");
}

function toMap(table: readonly (readonly [ErrorType, readonly string[]])[]): ReadonlyMap<string, ErrorType> {
  return new Map(table.flatMap(([type, names]) => names.map((name) => [name, type] as const)));
}
