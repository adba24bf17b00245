import { ANONYMOUS, type Caller } from "../../access/caller.ts";
import type { StreamEvent } from "../../anthropic/events.ts";
import { type ApiError, toApiError } from "../../base/errors.ts";
import { tap } from "../../base/relay.ts";
import { LOCAL } from "../../config/gateway_keys.ts";
import type { RequestObserver, TurnObserver, TurnStart } from "../../observability/request_observer.ts";
import type { FinishedRequest, RequestRecord } from "../../observability/request_record.ts";
import type { RequestTrace } from "../../observability/request_trace.ts";
import { startRequestTrace } from "../../observability/telemetry.ts";
import type { Clock } from "../../runtime/clock.ts";
import type { Shutdown } from "../../runtime/shutdown.ts";
import type { TurnUsage } from "../../tokens/turn_usage.ts";
import { toRouteLabel } from "../../upstreams/route_label.ts";
import type { Route } from "../../upstreams/upstream.ts";
import type { ListedModel } from "../../upstreams/model_list.ts";
import type { Retry } from "../../upstreams/send.ts";
import type { UpstreamHeaders } from "../../upstreams/upstream_headers.ts";
import { readCorrelationId } from "./correlation_id.ts";
import { KeptContent } from "./kept_content.ts";
import { toFailureKind } from "../operator/failure_kind.ts";
import { RequestCounts } from "./request_counts.ts";
import { type RequestFields, toDeltaFields } from "./request_fields.ts";
import type { GatewayContext } from "../context.ts";
import { readPathname } from "../routing/route_path.ts";
import { isMessageRoute, SeenLog } from "./seen_log.ts";
import type { Operations } from "../operator/operations.ts";
import { type Recorder, startRecorder } from "../operator/recorder.ts";

/** Log record of one request. Also updates the counters and the trace. Without `LOG_BODIES`, it holds no content. */
export class RequestLog implements RequestObserver {
  readonly requestId: string;
  /** The client's `x-correlation-id`, if it is safe for logs, headers and upstreams; else the request's own id. */
  readonly correlationId: string;
  readonly trace: RequestTrace;
  /** Headers of the upstream's last response that the client receives. */
  upstreamHeaders: UpstreamHeaders = { rateLimits: [] };
  /** True if the answer continues after the response was returned. The end of the stream then ends the record. */
  streaming = false;
  readonly #clock: Clock;
  readonly #operations: Operations;
  readonly #headers: Headers;
  readonly #startedAt: number;
  readonly #untrack: () => void;
  #caller: Caller = ANONYMOUS;
  #record: RequestFields & Pick<RequestRecord, "method" | "path">;
  #usd: number | undefined;
  #route = "";
  readonly #counts = new RequestCounts();
  #content: KeptContent | undefined;
  #recorder: Recorder | undefined;
  #seenLog: SeenLog | undefined;
  #ended = false;

  constructor(request: Request, { clock, shutdown, operations, newId }: {
    clock: Clock;
    shutdown: Shutdown;
    operations: Operations;
    newId(prefix: string): string;
  }) {
    this.requestId = newId("req_");
    this.#clock = clock;
    this.#operations = operations;
    this.#headers = request.headers;
    this.#startedAt = clock.now();
    this.correlationId = readCorrelationId(request) ?? this.requestId;
    this.trace = startRequestTrace(request);
    // Some servers pass a URL without a valid host.
    this.#record = { method: request.method, path: readPathname(request.url) ?? "" };
    operations.counters.requests++;
    operations.counters.open++;
    this.#untrack = shutdown.track();
  }

  /** The caller; anonymous until authenticated. */
  get caller(): Caller {
    return this.#caller;
  }
  set caller(caller: Caller) {
    this.#caller = { ...caller, correlationId: this.correlationId };
    this.#see();
  }

  /** Sets the endpoint, such as `POST /v1/messages`. Without one, the request has no known endpoint. */
  set route(route: string) {
    this.#route = route;
    this.trace.setRoute(route);
    this.#see();
  }

  /** Shows the request on the operator's page, if it is a message of a known caller. */
  #see(): void {
    if (this.#seenLog !== undefined || this.#caller === ANONYMOUS || !isMessageRoute(this.#route)) return;
    this.#seenLog = new SeenLog(
      this.#operations.traffic,
      {
        id: this.requestId,
        startedAt: this.#startedAt,
        caller: this.#caller,
        correlationId: this.correlationId,
        traceId: this.trace.ids?.traceId,
        headers: this.#headers,
      },
      () => this.#clock.now(),
    );
  }

  /** Adds fields to the record. */
  add(fields: RequestFields): void {
    Object.assign(this.#record, fields);
  }

  /** Keeps the content of the request and of its answer, if bodies are logged. */
  keepContent(request: unknown): void {
    if (this.#operations.bodies !== undefined) this.#content = new KeptContent(request);
  }

  /**
   * Starts to record the message, if messages are recorded. Returns the context in which the recorder sees the
   * upstreams.
   */
  record(gateway: GatewayContext, body: unknown): GatewayContext {
    if (this.#operations.recordings === undefined) return gateway;
    this.#recorder = startRecorder({ path: this.#record.path, body });
    if (this.#seenLog !== undefined) this.#seenLog.seen.recorded = true;
    return { ...gateway, fetch: this.#recorder.wrap(gateway.fetch) };
  }

  /** Records the route that the message takes; each further one is a fallback. */
  addRoute(route: Route, listed?: ListedModel): void {
    this.#counts.routes++;
    if (listed !== undefined) this.#recorder?.addModel(listed);
    for (const target of route.skipped ?? []) this.#counts.addSkipped(target);
    this.add({ answeredBy: toRouteLabel(route), dialect: route.dialect.name });
    this.#seenLog?.addRoute(route, this.#record.model);
  }

  /** Adds the usage of a turn. */
  addUsage({ cost, usd, inputTokens, outputTokens, tokens }: TurnUsage, route: Route): void {
    if (cost !== undefined) this.add({ cost: (this.#record.cost ?? 0) + cost });
    if (usd !== undefined) {
      this.#usd = (this.#usd ?? 0) + usd;
      if (this.#ended) this.#addLateCost(usd);
    }
    this.#seenLog?.addTurnUsage(tokens, this.#usd);
    this.#operations.metrics.countTurn({ model: toRouteLabel(route), inputTokens, outputTokens, usd });
  }

  #addLateCost(usd: number): void {
    const { client, sessionId: session } = this.#caller;
    const { model } = this.#record;
    if (session !== undefined && model !== undefined) {
      this.#operations.sessions.addCost({ client, session, model }, usd);
    }
  }

  startTurn(turn: TurnStart): TurnObserver {
    this.#counts.turns++;
    const traced = this.trace.startTurn({ ...turn, session: this.#caller.sessionId });
    const endSeen = this.#seenLog?.startTurn(`${turn.upstream}/${turn.model}`);
    const { metrics } = this.#operations;
    return {
      run: (send) => traced.run(send),
      end(end) {
        traced.end(end);
        endSeen?.(end);
        if (end.error !== undefined) {
          metrics.countUpstreamError(turn.upstream, toApiError(end.error).status);
        }
      },
    };
  }

  startTool(tool: string): (outcome: string) => void {
    const startedAt = this.#clock.now();
    const endSpan = this.trace.startTool(tool);
    const endSeen = this.#seenLog?.startTool(tool);
    (this.#counts.tools ??= []).push(tool);
    return (outcome) => {
      endSpan(outcome);
      endSeen?.(outcome);
      this.#operations.metrics.countTool(tool, outcome, (this.#clock.now() - startedAt) / 1000);
    };
  }

  onRetry(upstream: string, retry: Retry): void {
    this.#counts.retries++;
    this.#operations.metrics.countRetry(upstream);
    this.#seenLog?.addRetry(upstream, retry);
  }

  onRemedy(change: string): void {
    (this.#counts.remedies ??= []).push(change);
    this.#seenLog?.addRemedy(change);
  }

  /** Passes the events of an answer through and records their stop reason and usage. */
  observe(batches: AsyncGenerator<StreamEvent[]>): AsyncGenerator<StreamEvent[]> {
    return tap(batches, (batch) => this.#addEvents(batch));
  }

  #addEvents(batch: readonly StreamEvent[]): void {
    this.#record.firstEventMilliseconds ??= this.#clock.now() - this.#startedAt;
    this.#seenLog?.addEvents(batch);
    this.#content?.add(batch);
    this.#recorder?.addEvents(batch);
    for (const event of batch) if (event.type === "message_delta") this.add(toDeltaFields(event));
  }

  /**
   * Removes the secrets of the settings from the texts of an error that the client receives, and the client's key if it
   * is one of the gateway's. Without such keys, a client may send any word as its key.
   */
  maskError(error: ApiError): ApiError {
    const { masks } = this.#operations;
    error.replaceTexts(masks.settings);
    if (this.#caller.client !== LOCAL) error.replaceTexts(masks.ofHeaders(this.#headers));
    return error;
  }

  /** Records that the status and headers of the answer are sent. */
  respond(headers?: Headers): void {
    if (this.#ended) return;
    if (headers !== undefined) this.#seenLog?.addHeaders(headers);
    this.#record.headersMilliseconds ??= this.#clock.now() - this.#startedAt;
    if (this.streaming) this.#operations.metrics.openStreams.count++;
  }

  /** Completes the record and reports it. Later calls have no effect. */
  end(outcome: RequestRecord["outcome"], status: number, error?: unknown): void {
    if (this.#ended) return;
    this.#ended = true;
    const { counters, metrics } = this.#operations;
    counters.open--;
    this.#untrack();
    const streamed = this.streaming;
    if (streamed && this.#record.headersMilliseconds !== undefined) metrics.openStreams.count--;
    const failure = outcome === "failed" ? toFailureKind(status, error) : undefined;
    if (failure !== undefined) counters.countFailure(failure);
    const { client, sessionId: session } = this.#caller;
    const fields = this.#record;
    const counts = this.#counts;
    const { ids } = this.trace;
    const finished: FinishedRequest = {
      route: this.#route || "other",
      headers: this.#headers,
      usd: this.#usd,
      error,
      seen: this.#seenLog?.seen,
      content: this.#content?.content,
      record: {
        requestId: this.requestId,
        correlationId: this.correlationId,
        upstreamRequestId: this.upstreamHeaders.requestId,
        traceId: ids?.traceId,
        spanId: ids?.spanId,
        client,
        session,
        method: fields.method,
        path: fields.path,
        model: fields.model,
        answeredBy: fields.answeredBy,
        dialect: fields.dialect,
        stopReason: fields.stopReason,
        inputTokens: fields.inputTokens,
        outputTokens: fields.outputTokens,
        cachedTokens: fields.cachedTokens,
        cost: fields.cost,
        loss: fields.loss,
        firstEventMilliseconds: fields.firstEventMilliseconds,
        headersMilliseconds: fields.headersMilliseconds,
        status,
        outcome,
        failure,
        milliseconds: this.#clock.now() - this.#startedAt,
        streamed: streamed || undefined,
        // The line has no counts of 0, and no empty lists.
        turns: counts.turns || undefined,
        retries: counts.retries || undefined,
        fallbacks: counts.routes > 1 ? counts.routes - 1 : undefined,
        skipped: counts.skipped,
        remedies: counts.remedies,
        tools: counts.tools,
      },
    };
    const failed = error === undefined ? undefined : toApiError(error).type;
    this.trace.end({ status, failed });
    this.#operations.onRequestEnd(finished, this.#recorder);
  }
}
