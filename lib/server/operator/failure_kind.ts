import { ApiError } from "../../base/errors.ts";
import { StoreError } from "../../base/store_error.ts";
import { UpstreamError } from "../../dialects/mod.ts";
import { LimitError } from "../../limits/limit_error.ts";
import type { FailureKind } from "../../observability/failure_kind.ts";

/** Returns the kind of a failure, by the error that caused it and by the status of the answer. */
export function toFailureKind(status: number, error: unknown): FailureKind {
  if (error instanceof LimitError) return "limit";
  if (error === undefined && status < 500) return status === 401 || status === 403 ? "access" : "client";
  if (error instanceof StoreError) return "store";
  if (!(error instanceof ApiError)) return "gateway";
  if (error instanceof UpstreamError || status === 502 || status === 504) return "upstream";
  const { status: cause } = error;
  if (cause === 401 || cause === 403) return "access";
  if (cause < 500) return "client";
  return error.type === "overloaded_error" ? "gateway" : "upstream";
}
