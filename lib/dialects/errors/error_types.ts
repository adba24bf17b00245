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
const OPENAI_POLICY_CODES: readonly string[] = [
  "invalid_prompt",
  "bio_policy",
  "image_content_policy_violation",
];

/**
 * Codes of invalid requests in a stream of the Responses API. Source: npm `openai`, resources/responses/responses.d.ts
 */
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

/**
 * Error codes and types of other hosts that are more specific than their HTTP status. Those of MiniMax begin with
 * `base_resp`, because other hosts use the same numbers.
 *
 * Sources: https://platform.openai.com/docs/guides/error-codes, https://docs.z.ai/api-reference/api-code,
 * https://platform.minimax.io/docs/api-reference/errorcode, https://help.aliyun.com/zh/model-studio/error-code
 */
export const HOST_ERROR_CODES: ReadonlyMap<string, ErrorType> = toMap([
  ["invalid_request_error", [
    ...OPENAI_POLICY_CODES,
    "content_filter",
    ...OPENAI_POLICY_CODES,
    "DataInspectionFailed",
    "data_inspection_failed",
    "1301",
    "base_resp.1026",
    "base_resp.1027",
    "base_resp.1042",
    "base_resp.2013",
  ]],
  ["authentication_error", ["invalid_api_key", "InvalidApiKey", "base_resp.1004", "base_resp.2049"]],
  // OpenAI, Moonshot and Z.ai report an empty account with status 429, but waiting does not help.
  ["billing_error", [
    "insufficient_quota",
    "exceeded_current_quota_error",
    "insufficient_user_quota",
    "insufficient_balance",
    "billing_not_active",
    "Arrearage",
    "AccountOverdueError",
    "1113",
    "base_resp.1008",
  ]],
  ["not_found_error", ["model_not_found", "model_decommissioned", "1211"]],
  ["rate_limit_error", ["base_resp.1002", "base_resp.1039", "base_resp.1041"]],
  ["timeout_error", ["base_resp.1001"]],
  ["overloaded_error", ["engine_overloaded_error", "server_is_overloaded", "slow_down", "1305"]],
  // Groq sends 400 for an invalid call of the model. The request is valid, and a retry may succeed.
  ["api_error", ["tool_use_failed"]],
]);

/** Codes and types with which a host says that the model or a filter refused to answer. */
export const REFUSAL_CODES: ReadonlySet<string> = new Set([
  ...OPENAI_POLICY_CODES,
  "content_policy_violation",
  "refusal",
  "content_filter",
  ...OPENAI_POLICY_CODES,
  "DataInspectionFailed",
  "data_inspection_failed",
  "1301",
  "base_resp.1026",
  "base_resp.1027",
]);

/**
 * Codes for failures within a stream. An HTTP status is more specific: OpenAI calls most failures invalid requests.
 *
 * The names in capitals are those of Google, which Gemini sends. Source: https://cloud.google.com/apis/design/errors
 */
export const FALLBACK_ERROR_CODES: ReadonlyMap<string, ErrorType> = toMap([
  ["invalid_request_error", [
    "invalid_request_error",
    "BadRequestError",
    ...OPENAI_REQUEST_CODES,
    "INVALID_ARGUMENT",
    "FAILED_PRECONDITION",
    "InvalidParameter",
    "invalid_parameter_error",
    "ValidationException",
  ]],
  ["authentication_error", ["authentication_error", "UNAUTHENTICATED"]],
  ["billing_error", ["billing_error"]],
  ["permission_error", ["permission_error", "PERMISSION_DENIED", "AccessDeniedException"]],
  ["not_found_error", ["not_found_error", "NotFoundError", "NOT_FOUND", "ResourceNotFoundException"]],
  ["timeout_error", ["timeout_error", "DEADLINE_EXCEEDED", "ModelTimeoutException", "RequestTimeOut"]],
  ["request_too_large", ["request_too_large"]],
  ["conflict_error", ["conflict_error"]],
  ["rate_limit_error", [
    "rate_limit_error",
    "rate_limit_exceeded",
    "RESOURCE_EXHAUSTED",
    "ThrottlingException",
    "Throttling",
    "Throttling.RateQuota",
    "Throttling.AllocationQuota",
    "TooManyRequests",
    "1302",
  ]],
  ["overloaded_error", [
    "overloaded_error",
    "service_unavailable",
    "UNAVAILABLE",
    "ServiceUnavailableException",
    "ServiceUnavailable",
  ]],
  ["api_error", ["api_error", "server_error", "internal_server_error", "INTERNAL", "InternalError"]],
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
