import {
  type Attributes,
  type Context,
  context,
  isSpanContextValid,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
} from "@opentelemetry/api";
import { ApiError } from "../base/errors.ts";
import { NAME, VERSION } from "../base/version.ts";
import { recordOperation } from "./otel_metrics.ts";
import type { TurnEnd, TurnObserver, TurnStart } from "./request_observer.ts";
import { type RequestTrace, UNTRACED } from "./request_trace.ts";

/**
 * Starts the trace of a request. If the server has a span for the request, as Deno's has with `OTEL_DENO`, the turns
 * and tools belong to it. Otherwise a span is started, as a child of the client's `traceparent`.
 */
export function startRequestTrace(request: Request): RequestTrace {
  const tracer = trace.getTracer(NAME, VERSION);
  const active = context.active();
  const served = trace.getSpan(active);
  const parent = served === undefined
    ? propagation.extract(active, request.headers, { get: getHeader, keys: (headers) => [...headers.keys()] })
    : active;
  const own = served === undefined
    ? tracer.startSpan(request.method, { kind: SpanKind.SERVER }, parent)
    : undefined;
  const span = own ?? served;
  const requestContext = own === undefined ? parent : trace.setSpan(parent, own);
  if (span === undefined || !isSpanContextValid(span.spanContext())) return UNTRACED;
  const { traceId, spanId } = span.spanContext();

  return {
    ids: { traceId, spanId },
    run: (work) => context.with(requestContext, work),
    setRoute(route) {
      span.updateName(route);
      span.setAttribute("http.route", route.slice(route.indexOf(" ") + 1));
    },
    startTurn(turn) {
      const attributes = toTurnAttributes(turn);
      const options = { kind: SpanKind.CLIENT, attributes };
      const turnSpan = tracer.startSpan(`chat ${turn.model}`, options, requestContext);
      return observeTurn(turnSpan, trace.setSpan(requestContext, turnSpan), attributes);
    },
    startTool(tool) {
      const attributes = { "gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": tool };
      const toolSpan = tracer.startSpan(`execute_tool ${tool}`, { attributes }, requestContext);
      return (outcome) => {
        if (outcome !== "ok") fail(toolSpan, outcome);
        toolSpan.end();
      };
    },
    end({ status, failed }) {
      span.setAttribute("http.response.status_code", status);
      if (failed !== undefined && status >= 500) fail(span, failed);
      own?.end();
    },
  };
}

/** Source: https://opentelemetry.io/docs/specs/semconv/gen-ai/gen-ai-spans/ */
function toTurnAttributes(
  { upstream, baseUrl, model, maxTokens, dialect, session }: TurnStart & { session: string | undefined },
): Attributes {
  return {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": upstream,
    "gen_ai.request.model": model,
    "gen_ai.request.max_tokens": maxTokens,
    "server.address": new URL(baseUrl).hostname,
    "gateway.dialect": dialect,
    ...(session !== undefined && { "gen_ai.conversation.id": session }),
  };
}

function observeTurn(span: Span, turnContext: Context, attributes: Attributes): TurnObserver {
  const startedAt = performance.now();
  let ended = false;
  return {
    run: (send) => context.with(turnContext, send),
    end({ usage, stopReason, error }: TurnEnd) {
      if (ended) return;
      ended = true;
      const failure = error === undefined ? undefined : toErrorType(error);
      if (usage !== undefined) {
        span.setAttribute("gen_ai.usage.input_tokens", usage.inputTokens);
        span.setAttribute("gen_ai.usage.output_tokens", usage.outputTokens);
      }
      if (stopReason !== undefined) span.setAttribute("gen_ai.response.finish_reasons", [stopReason]);
      if (failure !== undefined) fail(span, failure);
      span.end();
      recordOperation({ seconds: (performance.now() - startedAt) / 1000, usage, failure }, attributes);
    },
  };
}

/** Marks a span as failed. The message of the error is left out: it may hold what the upstream quotes. */
function fail(span: Span, type: string): void {
  span.setAttribute("error.type", type);
  span.setStatus({ code: SpanStatusCode.ERROR });
}

function toErrorType(error: unknown): string {
  if (error instanceof ApiError) return error.type;
  return error instanceof Error ? error.name : "unknown";
}

function getHeader(headers: Headers, name: string): string | undefined {
  return headers.get(name) ?? undefined;
}
