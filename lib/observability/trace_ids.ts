import { isSpanContextValid, trace } from "@opentelemetry/api";
import type { TraceIds } from "./request_trace.ts";

/** Returns the ids of the active span; `undefined` if tracing is off. */
export function activeTraceIds(): TraceIds | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span)
    ? { traceId: span.traceId, spanId: span.spanId }
    : undefined;
}
