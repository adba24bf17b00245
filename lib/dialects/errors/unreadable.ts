import { ApiError } from "../../base/errors.ts";

/** Returns the error for an answer that does not follow the upstream's protocol. */
export function unreadableAnswer(why: string): ApiError {
  return new ApiError("api_error", `Cannot read the upstream's answer: ${why}`, { status: 502 });
}

/** Returns the error for a stream that ends within its answer. */
export function incompleteAnswer(): ApiError {
  const message = "Cannot finish the answer: the upstream's stream ended before its answer did";
  return new ApiError("api_error", message, { status: 502 });
}

/** Returns the error for a tool call whose arguments cannot be read. */
export function brokenCall(cause: unknown): ApiError {
  if (cause instanceof ApiError) return cause; // it says which bound the arguments exceed
  const message = "Cannot use the model's tool call: its arguments are not one JSON object";
  return new ApiError("api_error", message, { status: 502, cause });
}

/** Returns the error for an answer that ends with tool calls, but has none and nothing else. */
export function missingCalls(): ApiError {
  return new ApiError("api_error", "Cannot use the answer: it ends with tool calls, but has none", {
    status: 502,
  });
}

/** Returns the error for a tool call without a name. */
export function namelessCall(): ApiError {
  return new ApiError("api_error", "Cannot use the model's tool call: it has no tool name", { status: 502 });
}
