import type { Caller } from "../../access/caller.ts";
import { ApiError, toApiError, toErrorBody } from "../../base/errors.ts";
import { isObject, tryJson } from "../../base/json.ts";
import { type BatchItem, toRunId } from "../../durable/batch_queue.ts";
import type { Batch, ItemOutcome } from "../../durable/batch_store.ts";
import type { Admission } from "../../limits/admission.ts";
import type { GatewayContext } from "../context.ts";
import { answerMessages } from "../messages.ts";
import { lacksTelemetry, loadTelemetry } from "../../observability/telemetry.ts";
import { RequestLog } from "../request_log/request_log.ts";
import { retryTime } from "./retry.ts";

/** What became of a request of a batch: its result as JSON, or when to try it again. */
export type ItemEnd =
  | { outcome: ItemOutcome; result: string }
  | { retryAt: number; attempts: number };

/** Options of {@linkcode runItem}. */
export interface RunItemOptions {
  gateway: GatewayContext;
  batch: Batch;
  caller: Caller;
  headers: Readonly<Record<string, string>>;
  admission: Admission;
  /** Ends the answer. */
  signal?: AbortSignal;
}

/**
 * Answers a request of a batch, as `POST /v1/messages` would. Never rejects.
 *
 * A request that the gateway's shutdown cuts is tried again at once, by the next gateway.
 */
export async function runItem(
  { batch: number, nth, params, attempts }: BatchItem,
  { gateway, batch, caller, headers, admission, signal }: RunItemOptions,
): Promise<ItemEnd> {
  const request = new Request("http://batch.invalid/v1/messages", {
    method: "POST",
    // The log lines of the requests of a batch have its id.
    headers: { ...headers, "content-type": "application/json", "x-correlation-id": batch.id },
    body: params,
    ...(signal !== undefined && { signal }),
  });
  if (lacksTelemetry()) await loadTelemetry();
  const requestLog = new RequestLog(request, gateway);
  requestLog.caller = caller;
  requestLog.route = "POST /v1/messages";
  try {
    rejectStream(params);
    const response = await requestLog.trace.run(() =>
      answerMessages({
        request,
        gateway,
        requestLog,
        admission,
        steps: gateway.startSteps?.(toRunId(number, nth)),
      })
    );
    const message = await response.text();
    requestLog.end("finished", response.status);
    return { outcome: "succeeded", result: `{"type":"succeeded","message":${message}}` };
  } catch (thrown) {
    const error = toApiError(thrown);
    requestLog.end("failed", error.status, thrown);
    if (gateway.shutdown.started && error.retryable) return { retryAt: 0, attempts };
    const { requestId } = requestLog;
    return toItemEnd(requestLog.maskError(error), { attempts, now: gateway.clock.now(), requestId });
  } finally {
    admission.release();
  }
}

/** Returns what becomes of a request that failed. */
export function toItemEnd(
  error: ApiError,
  { attempts, now, requestId }: { attempts: number; now: number; requestId: string },
): ItemEnd {
  const retryAt = retryTime(error, { attempts, now });
  return retryAt === undefined ? erroredItem(error, requestId) : { retryAt, attempts: attempts + 1 };
}

/** Returns the end of a request that failed for good. */
export function erroredItem(error: ApiError, requestId: string): ItemEnd {
  return {
    outcome: "errored",
    result: JSON.stringify({ type: "errored", error: toErrorBody(error, requestId) }),
  };
}

function rejectStream(params: string): void {
  const value = tryJson(params);
  if (!isObject(value) || value.stream !== true) return;
  throw new ApiError("invalid_request_error", "stream: Streaming is not supported in a batch");
}
