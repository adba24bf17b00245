import { toApiError } from "../../base/errors.ts";
import type { HeldAnswer } from "../../durable/answer_store.ts";
import type { Job, JobOutcome } from "../../durable/engine.ts";
import { toFailure } from "../../durable/failure.ts";
import { Recording } from "../idempotency/recording.ts";
import { createStoreSink, type SinkEnd } from "../idempotency/store_sink.ts";
import { answerMessages } from "../messages.ts";
import { lacksTelemetry, loadTelemetry } from "../../observability/telemetry.ts";
import { RequestLog } from "../request_log/request_log.ts";
import type { AnswerRequest } from "./answer_request.ts";
import type { JobContext } from "./job_context.ts";

/**
 * Makes an answer and writes it into the store, where the gateways that wait for it follow it.
 *
 * @throws if this gateway is stopping, or if the store cannot be written.
 */
export async function doAnswerJob(
  { id, round }: Job & { kind: "answer" },
  context: JobContext,
): Promise<JobOutcome> {
  const { answers } = context.stores;
  const taken = await answers.take(id, round);
  if (taken === undefined) return {};
  const request: AnswerRequest = JSON.parse(taken.request);
  const end = await record(taken.held, request, context);
  if (end.kept) return {};
  if (end.cut) throw end.error ?? new Error("Cannot finish the answer: the gateway is stopping");
  return { failure: toFailure(toApiError(end.error)) };
}

async function record(
  held: HeldAnswer,
  { caller, headers, owner, correlationId, body, stream }: AnswerRequest,
  { gateway, stores: { answers }, signal }: JobContext,
): Promise<SinkEnd> {
  const request = new Request("http://job.invalid/v1/messages", {
    method: "POST",
    headers: { ...headers, "content-type": "application/json", "x-correlation-id": correlationId },
    body: JSON.stringify(body),
    signal,
  });
  if (lacksTelemetry()) await loadTelemetry();
  const requestLog = new RequestLog(request, gateway);
  requestLog.caller = { ...caller, owner };
  requestLog.route = "POST /v1/messages";
  const steps = gateway.startSteps?.(held.id);
  const start = async () => {
    try {
      return await requestLog.trace.run(() =>
        answerMessages({ request, gateway, requestLog, steps }, { stream })
      );
    } catch (thrown) {
      const error = toApiError(thrown);
      requestLog.end("failed", error.status, thrown);
      throw requestLog.maskError(error);
    }
  };
  const end = await new Promise<SinkEnd>((onEnd) => {
    const { clock, shutdown } = gateway;
    const isStopping = () => shutdown.started || signal.aborted;
    new Recording(
      "",
      start,
      createStoreSink({ store: answers, clock, held, isStopping, leavesCut: true, onEnd }),
    );
  });
  if (!requestLog.streaming) requestLog.end("finished", 200);
  return end;
}
