import { ApiError, errorResponse } from "../../base/errors.ts";

/**
 * Codes of JSON-RPC errors.
 * Source: https://www.jsonrpc.org/specification#error_object
 */
export const RPC_CODES = {
  parseError: -32700,
  invalidRequest: -32600,
  methodNotFound: -32601,
  internalError: -32603,
  serverError: -32000,
} as const;

/** Returns the id of a JSON-RPC request for the response to it; null if it has none. */
export function toRpcId(id: unknown): string | number | null {
  return typeof id === "string" || typeof id === "number" ? id : null;
}

/** A body that is no JSON, or exceeds the bounds of JSON. */
export class UnreadableBody extends ApiError {
  constructor({ type, message, status }: ApiError) {
    super(type, message, { status });
  }
}

/** Converts an error to a JSON-RPC error with the HTTP status and headers of the error. */
export function toRpcErrorResponse(error: ApiError, requestId: string): Response {
  const body = { jsonrpc: "2.0", id: null, error: { code: toRpcCode(error), message: error.message } };
  return new Response(JSON.stringify(body), errorResponse(error, requestId));
}

function toRpcCode(error: ApiError): number {
  if (error.status >= 500) return RPC_CODES.internalError;
  if (error instanceof UnreadableBody) return RPC_CODES.parseError;
  return error.type === "invalid_request_error" ? RPC_CODES.invalidRequest : RPC_CODES.serverError;
}
