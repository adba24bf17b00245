import { type ApiError, errorResponse } from "../../base/errors.ts";

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

/** Converts an error to a JSON-RPC error with the HTTP status and headers of the error. */
export function toRpcErrorResponse(error: ApiError, requestId: string): Response {
  const { status, headers } = errorResponse(error, requestId);
  const body = { jsonrpc: "2.0", id: null, error: { code: toRpcCode(error), message: error.message } };
  return Response.json(body, { status, headers: withoutBodyHeaders(headers) });
}

function toRpcCode({ type, status }: ApiError): number {
  if (status >= 500) return RPC_CODES.internalError;
  return type === "invalid_request_error" ? RPC_CODES.invalidRequest : RPC_CODES.serverError;
}

function withoutBodyHeaders(headers: Headers): Headers {
  const copy = new Headers(headers);
  copy.delete("content-type");
  copy.delete("content-length");
  return copy;
}
