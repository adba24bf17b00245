import { assertOtherModelsAllowed, findAllowedRoute } from "./allowed_models.ts";
import { collectMessage } from "../anthropic/collect.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { applyToolChanges } from "../anthropic/tool_changes.ts";
import type { Steps } from "../anthropic/steps.ts";
import type { ToolHeaders } from "../server_tools/assign.ts";
import { readJsonBody } from "./read_json.ts";
import { answerKeyed, type DetachedAnswer, readIdempotencyKey } from "./idempotency/answer_keyed.ts";
import { assertRepeatAllowed } from "./idempotency/repeat_allowed.ts";
import { type Deadline, startDeadline } from "./deadline.ts";
import { toApiError, toErrorBody } from "../base/errors.ts";
import type { BodyCount } from "../limits/body_meter.ts";
import type { Admission } from "../limits/admission.ts";
import { createDirectResponse } from "../runtime/http/direct_body.ts";
import type { RequestLog } from "./request_log/request_log.ts";
import { withCompaction } from "../turns/compaction.ts";
import { withFallbacks } from "../turns/fallback.ts";
import type { GatewayContext } from "./context.ts";
import { holdAnswer } from "../turns/hold.ts";
import { applyRequestHook, withResponseHook } from "./hooks.ts";
import { resolveFiles } from "./files/resolve_files.ts";
import { readToolHeaders } from "./tool_headers.ts";
import { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { startMessage } from "../turns/message_start.ts";
import { createJudge } from "../turns/safeguards/auto_mode_judge.ts";
import { withSafeguards } from "../turns/safeguards/safeguards.ts";
import { withStructuredOutput } from "../turns/structured/structured.ts";
import { withToolInputCheck } from "../turns/structured/check_tool_input.ts";
import { toRouteLabel } from "../upstreams/route_label.ts";
import { findModel } from "../upstreams/model_list.ts";
import { readUpstreamHeaders } from "../upstreams/upstream_headers.ts";
import { EventBody } from "./write_events.ts";
import { createMcpSession, type McpSession } from "../turns/gateway_tools/mcp_session.ts";
import { upstreamTools } from "../turns/gateway_tools/upstream_tools.ts";
import { withTools, type WithToolsOptions } from "../turns/gateway_tools/with_tools.ts";

/** A request for a message. */
export interface MessagesCall {
  request: Request;
  gateway: GatewayContext;
  requestLog: RequestLog;
  /** The admission of a request that was admitted already, such as one of a batch. */
  admission?: Admission;
  /** Records the steps of the answer, so that a restart does not repeat them. */
  steps?: Steps | undefined;
}

/**
 * Answers `POST /v1/messages`: the path of one request. With the option `stream`, the answer is streamed even if the
 * request does not ask for it.
 *
 * With the header `idempotency-key`, the answer is kept, and a repeat of the request receives it.
 *
 * @throws {ApiError} if the request fails before its answer starts. A later failure ends the stream with an `error`
 * event.
 */
export function answerMessages(
  call: MessagesCall,
  { stream = false }: { stream?: boolean } = {},
): Promise<Response> {
  const key = readIdempotencyKey(call.request);
  if (key === undefined) return answerMessage(call, { stream });
  const start = ({ request, run }: DetachedAnswer) => {
    const steps = run === undefined ? undefined : call.gateway.startSteps?.(run);
    return answerMessage({ ...call, request, steps }, { stream });
  };
  return answerKeyed(call, key, {
    stream,
    start,
    assertAllowed: (body) => assertRepeatAllowed(body, { ...call, hookCall: toHookCall(call) }),
  });
}

/** Answers a request once. @throws {ApiError} if the request fails before its answer starts. */
async function answerMessage(
  { request, gateway, requestLog, ...given }: MessagesCall,
  { stream }: { stream: boolean },
): Promise<Response> {
  // The concurrency slot is taken before the body is read, because bodies take memory.
  const admission = given.admission ?? await gateway.limits.admit(requestLog.caller);
  // What is read on after the client has left keeps these, too.
  admission.onEnd(gateway.shutdown.track());
  const body = gateway.bodies.start(requestLog.caller.client);
  admission.onEnd(body.end);
  try {
    const parsed = toMessage(await readJsonBody(request, body, gateway), { gateway, requestLog });
    const message = gateway.hooks.onRequest === undefined
      ? parsed.message
      : await applyRequestHook(parsed.message, toHookCall({ request, gateway, requestLog }));
    return await answerAdmitted(message, {
      request,
      gateway: parsed.context,
      requestLog,
      steps: given.steps,
      admission,
      body,
      stream,
    });
  } finally {
    if (!requestLog.streaming) admission.release();
  }
}

/** Parses a message. Bodies are logged and recorded here, if the settings say so, also those that are not valid. */
function toMessage(
  body: unknown,
  { gateway, requestLog }: Pick<MessagesCall, "gateway" | "requestLog">,
): { message: MessagesRequest; context: GatewayContext } {
  requestLog.keepContent(body);
  const context = requestLog.record(gateway, body);
  return { message: parseMessagesRequest(body), context };
}

/** Returns what the hooks of the embedding program are called with. */
function toHookCall({ request, gateway: { hooks, clock }, requestLog }: MessagesCall) {
  const { requestId, caller: { client } } = requestLog;
  return { hooks, clock, requestId, client, signal: request.signal };
}

async function answerAdmitted(
  received: MessagesRequest,
  call: MessagesCall & { admission: Admission; body: BodyCount; stream: boolean },
): Promise<Response> {
  const { request, gateway, requestLog, admission, body, stream } = call;
  const { caller } = requestLog;
  const toolHeaders = readToolHeaders(request);
  requestLog.add({ model: received.model });
  const route = await findAllowedRoute(gateway, received.model, caller);
  reportRoute(route, gateway, requestLog);
  assertOtherModelsAllowed(gateway, received, { route, caller });
  const leavesUnknown = route.dialect.name === "anthropic";
  const message = gateway.files === undefined
    ? received
    : await resolveFiles(received, { gateway, caller, count: body, leavesUnknown });
  const rateHeaders = await admission.expect({
    inputTokens: gateway.inputCounter.estimate(message, route),
  });
  const streamed = stream || message.stream === true;
  const turns = new MessageTurns(call, { message, toolHeaders, route, streamed });
  try {
    await turns.open();
    const response = streamed
      ? await streamAnswer(turns, call)
      : createDirectResponse(JSON.stringify(await collectMessage(turns.answer)), { headers: JSON_TYPE });
    const { headers } = response;
    headers.set("x-gateway-model", toRouteLabel(turns.route));
    for (const name in rateHeaders) headers.set(name, rateHeaders[name] ?? "");
    const lossHeader = turns.loss.toHeader();
    if (lossHeader !== undefined) headers.set("x-gateway-loss", lossHeader);
    return response;
  } finally {
    if (!requestLog.streaming) turns.end();
  }
}

function reportRoute(route: Route, gateway: GatewayContext, requestLog: RequestLog): void {
  requestLog.addRoute(route, findModel(gateway.modelCache.peek(route.upstream), route.model));
}

/** The turns that answer a message, and what ends with them. */
class MessageTurns {
  readonly message: MessagesRequest;
  readonly answer: AsyncGenerator<StreamEvent[]>;
  readonly loss = new LossReport();
  /** The route of the last turn. */
  route: Route;
  readonly #requestLog: RequestLog;
  readonly #admission: Admission;
  readonly #deadline: Deadline;
  readonly #mcp: McpSession;

  constructor(
    call: MessagesCall & { admission: Admission },
    { message, toolHeaders, route, streamed }: {
      message: MessagesRequest;
      toolHeaders: ToolHeaders;
      route: Route;
      streamed: boolean;
    },
  ) {
    const { request, gateway, requestLog, steps, admission } = call;
    const { config, hooks } = gateway;
    const { caller, requestId } = requestLog;
    const { loss } = this;
    this.#requestLog = requestLog;
    this.#admission = admission;
    this.message = message;
    this.route = route;
    this.#deadline = startDeadline(request.signal, gateway, config.requestTimeout * 1000);
    const { signal } = this.#deadline;
    const mcp = this.#mcp = createMcpSession(gateway, { betas: caller.betas, signal });
    const live = streamed && config.structuredStream === "live";
    const turn: WithToolsOptions = {
      message,
      toolHeaders,
      steps,
      caller,
      requestId,
      signal,
      retries: config.upstreamRetries,
      restoresNulls: !live,
      mcp,
      admission,
      observer: requestLog,
      onUsage(usage, route) {
        requestLog.addUsage(usage, route);
        admission.charge(usage, toRouteLabel(route));
      },
      onHeaders(headers, { upstream }) {
        requestLog.upstreamHeaders = readUpstreamHeaders(headers, { upstream, caller });
      },
    };
    const askTurns = (loss: LossReport) => withTools(gateway, turn, loss);
    const maxRetries = config.structuredMaxRetries;
    const askForRoute = withCompaction(withStructuredOutput(askTurns, { loss, signal, live, maxRetries }));
    const onRoute = (next: Route) => {
      this.route = next;
      reportRoute(next, gateway, requestLog);
    };
    const askWithFallbacks = withFallbacks(askForRoute, {
      context: gateway,
      route,
      caller,
      signal,
      loss,
      onRoute,
    });
    const { autoModeModel: model } = config;
    const judge = model === undefined ? undefined : createJudge(gateway, { ...turn, model });
    const ask = withSafeguards(withToolInputCheck(askWithFallbacks, loss), judge);
    const askWithHook = hooks.onResponse === undefined ? ask : withResponseHook(ask, toHookCall(call));
    this.answer = requestLog.observe(askWithHook(message));
  }

  /**
   * Connects to the MCP servers. One that does not answer is an HTTP status, not an event of a stream that has begun.
   */
  async open(): Promise<void> {
    await this.#mcp.open(applyToolChanges(this.message)?.request ?? this.message, upstreamTools(this.route));
  }

  /** Ends the deadline, releases the admission and closes the MCP servers. */
  end(): void {
    const { entries } = this.loss;
    if (entries.length > 0) this.#requestLog.add({ loss: entries.map((entry) => entry.join(" ")) });
    this.#deadline.stop();
    this.#admission.release();
    void this.#mcp.close();
  }
}

const JSON_TYPE = { "content-type": "application/json" };

async function streamAnswer(
  turns: MessageTurns,
  { request, gateway, requestLog }: MessagesCall,
): Promise<Response> {
  const { clock, config } = gateway;
  const { message, route } = turns;
  const startEvents = () => startMessage(message, route, gateway);
  const held = await holdAnswer(turns.answer, { clock, timeoutMs: config.holdTimeout * 1000, startEvents });
  requestLog.streaming = true;
  const body = new EventBody(held, {
    clock,
    client: request.signal,
    pingIntervalMs: config.pingInterval * 1000,
    toErrorBody: (error) => toErrorBody(requestLog.maskError(toApiError(error)), requestLog.requestId),
    onEnd(outcome, error) {
      turns.end();
      requestLog.end(outcome, 200, error);
    },
  });
  const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
  return createDirectResponse(body, { headers });
}
