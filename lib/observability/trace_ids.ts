import { isSpanContextValid, trace } from "@opentelemetry/api";

/** Ids of a trace and of a span within it, in hexadecimal digits, as in the header `traceparent`. */
export interface TraceIds {
  traceId: string;
  spanId: string;
}

/** Returns the ids of the active span; `undefined` if tracing is off. */
export function activeTraceIds(): TraceIds | undefined {
  const span = trace.getActiveSpan()?.spanContext();
  return span !== undefined && isSpanContextValid(span)
    ? { traceId: span.traceId, spanId: span.spanId }
    : undefined;
}
