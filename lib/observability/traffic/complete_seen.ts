import { ApiError, toApiError } from "../../base/errors.ts";
import { redact } from "../../base/redact.ts";
import { type FailureKind, isExpected } from "../failure_kind.ts";
import { toLabel } from "../label.ts";
import type { Mask } from "../mask.ts";
import type { FinishedRequest } from "../request_record.ts";
import type { SeenError } from "./error_groups.ts";
import {
  MAX_LOSSES,
  MAX_NAME_CHARS,
  MAX_PATH_CHARS,
  type RequestState,
  type SeenRequest,
} from "./seen_request.ts";

/** Sets what is known of a message at its end. */
export function completeSeen(seen: SeenRequest, { record, usd, error }: FinishedRequest): SeenRequest {
  const { loss = [], cost } = record;
  seen.state = toState(record.outcome, record.failure);
  seen.tool = undefined;
  seen.model ??= record.model === undefined ? undefined : toLabel(record.model.slice(0, MAX_NAME_CHARS));
  seen.status = record.status;
  seen.streamed = record.streamed;
  seen.failure = record.failure;
  seen.errorType = error === undefined ? undefined : typeOf(error);
  seen.stopReason = record.stopReason?.slice(0, MAX_NAME_CHARS);
  seen.inputTokens ??= record.inputTokens;
  seen.outputTokens ??= record.outputTokens;
  seen.usd = usd;
  seen.costReported = usd !== undefined && cost !== undefined && cost === usd;
  seen.losses = loss.slice(0, MAX_LOSSES).map((entry) => redact(cutPath(entry)));
  seen.moreLosses = Math.max(0, loss.length - MAX_LOSSES);
  return seen;
}

/** Cuts the path of an entry `path action`. */
function cutPath(entry: string): string {
  const cut = entry.lastIndexOf(" ");
  return cut <= MAX_PATH_CHARS ? entry : `${entry.slice(0, MAX_PATH_CHARS)}…${entry.slice(cut)}`;
}

function toState(
  outcome: FinishedRequest["record"]["outcome"],
  failure: FailureKind | undefined,
): RequestState {
  if (outcome === "left") return "cancelled";
  if (outcome === "finished") return "finished";
  return failure !== undefined && isExpected(failure) ? "refused" : "failed";
}

/** Returns what errors are grouped by. The words of an upstream are left out: they may quote the request. */
export function toSeenError(
  { record, error }: FinishedRequest,
  { failure, mask }: { failure: FailureKind; mask: Mask },
): SeenError {
  const { requestId: id, client, status, answeredBy } = record;
  const model = answeredBy?.slice(0, MAX_NAME_CHARS);
  const isOfUpstream = failure === "upstream";
  return {
    id,
    client,
    failure,
    type: typeOf(error),
    // A stream that failed has status 200.
    status: status < 400 ? toApiError(error).status : status,
    source: isOfUpstream ? model?.split("/")[0] ?? "upstream" : "gateway",
    model: model === undefined ? undefined : toLabel(model),
    message: error instanceof ApiError && !isOfUpstream ? mask(error.message) : undefined,
  };
}

/** Returns Anthropic's type of an error; for a defect, the name of its class. */
function typeOf(error: unknown): string {
  return error instanceof ApiError
    ? error.type
    : error instanceof Error
    ? error.name.slice(0, 64)
    : "unknown";
}
