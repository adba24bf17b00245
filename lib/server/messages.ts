import { assertOtherModelsAllowed, findAllowedRoute } from "./allowed_models.ts";
import { collectMessage } from "../anthropic/collect.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import { applyToolChanges } from "../anthropic/tool_changes.ts";
import type { Steps } from "../anthropic/steps.ts";
import type { TurnUsage } from "../tokens/turn_usage.ts";
import { readJsonBody } from "./read_json.ts";
import { answerKeyed, type DetachedAnswer, readIdempotencyKey } from "./idempotency/answer_keyed.ts";
import { assertRepeatAllowed } from "./idempotency/repeat_allowed.ts";
import { startDeadline } from "./deadline.ts";
import { toApiError, toErrorBody } from "../base/errors.ts";
import type { BodyCount } from "../limits/body_meter.ts";
import type { Admission } from "../limits/limiter.ts";
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
import { createMcpSession } from "../turns/gateway_tools/mcp_session.ts";
import { upstreamTools } from "../turns/gateway_tools/upstream_tools.ts";
import { withTools } from "../turns/gateway_tools/with_tools.ts";

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
 * Answers `POST /v1/messages`: the path of one request. With the option `stream`, the answer is streamed even if the request does not ask for it.
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
  { request, gateway, requestLog, steps, admission, body, stream }: MessagesCall & {
    admission: Admission;
    body: BodyCount;
    stream: boolean;
  },
): Promise<Response> {
  const { caller } = requestLog;
  const call = toHookCall({ request, gateway, requestLog });
  const addRoute = (route: Route) =>
    requestLog.addRoute(route, findModel(gateway.modelCache.peek(route.upstream), route.model));
  const toolHeaders = readToolHeaders(request);
  requestLog.add({ model: received.model });
  let route = await findAllowedRoute(gateway, received.model, caller);
  addRoute(route);
  assertOtherModelsAllowed(gateway, received, caller);
  const leavesUnknown = route.dialect.name === "anthropic";
  const message = gateway.files === undefined
    ? received
    : await resolveFiles(received, { gateway, caller, count: body, leavesUnknown });

  const rateHeaders = await admission.expect({
    inputTokens: gateway.inputCounter.estimate(message, route),
  });
  const loss = new LossReport();
  const deadline = startDeadline(request.signal, gateway, gateway.config.requestTimeout * 1000);
  const mcp = createMcpSession(gateway, { betas: caller.betas, signal: deadline.signal });
  const cleanUp = () => {
    if (loss.entries.length > 0) requestLog.add({ loss: loss.entries.map((entry) => entry.join(" ")) });
    deadline.stop();
    admission.release();
    void mcp.close();
  };
  const onUsage = (usage: TurnUsage, route: Route) => {
    requestLog.addUsage(usage, route);
    admission.charge(usage, toRouteLabel(route));
  };
  const onRoute = (next: Route) => {
    route = next;
    addRoute(next);
  };
  const onHeaders = (headers: Headers, { upstream }: Route) => {
    requestLog.upstreamHeaders = readUpstreamHeaders(headers, { upstream, caller });
  };
  const streamed = stream || message.stream === true;
  const live = streamed && gateway.config.structuredStream === "live";
  const turn = {
    message,
    toolHeaders,
    steps,
    caller,
    requestId: requestLog.requestId,
    signal: deadline.signal,
    loss,
    retries: gateway.config.upstreamRetries,
    restoresNulls: !live,
    mcp,
    admission,
    observer: requestLog,
    onUsage,
    onHeaders,
  };
  const askTurns = (loss: LossReport) => withTools(gateway, { ...turn, loss });
  const askWithStructuredOutput = withStructuredOutput(askTurns, {
    ...turn,
    live,
    maxRetries: gateway.config.structuredMaxRetries,
  });
  const askForRoute = withCompaction(askWithStructuredOutput);
  const askWithFallbacks = withFallbacks(askForRoute, { ...turn, context: gateway, route, onRoute });
  const { autoModeModel: model } = gateway.config;
  const judge = model === undefined ? undefined : createJudge(gateway, { ...turn, model });
  const ask = withSafeguards(withToolInputCheck(askWithFallbacks, loss), judge);
  const answer = requestLog.observe(withResponseHook(ask, call)(message));

  try {
    // A server that does not answer is an HTTP status, not an event of a stream that has begun.
    await mcp.open(applyToolChanges(message)?.request ?? message, upstreamTools(route));
    const response = streamed
      ? await streamAnswer(answer, {
        message,
        route,
        gateway,
        requestLog,
        cleanUp,
        clientSignal: request.signal,
      })
      : createDirectResponse(JSON.stringify(await collectMessage(answer)), { headers: JSON_TYPE });
    response.headers.set("x-gateway-model", toRouteLabel(route));
    for (const [name, value] of Object.entries(rateHeaders)) response.headers.set(name, value);
    const lossHeader = loss.toHeader();
    if (lossHeader !== undefined) response.headers.set("x-gateway-loss", lossHeader);
    return response;
  } finally {
    if (!requestLog.streaming) cleanUp();
  }
}

const JSON_TYPE = { "content-type": "application/json" };

interface StreamOptions {
  message: MessagesRequest;
  route: Route;
  gateway: GatewayContext;
  requestLog: RequestLog;
  /** Ends the request's deadline and releases its admission. */
  cleanUp(): void;
  clientSignal: AbortSignal;
}

async function streamAnswer(
  answer: AsyncGenerator<StreamEvent[]>,
  { message, route, gateway, requestLog, cleanUp, clientSignal }: StreamOptions,
): Promise<Response> {
  const { clock, config } = gateway;
  const startEvents = () => startMessage(message, route, gateway);
  const held = await holdAnswer(answer, { clock, timeoutMs: config.holdTimeout * 1000, startEvents });
  requestLog.streaming = true;
  const body = new EventBody(held, {
    clock,
    client: clientSignal,
    pingIntervalMs: config.pingInterval * 1000,
    toErrorBody: (error) => toErrorBody(requestLog.maskError(toApiError(error)), requestLog.requestId),
    onEnd(outcome, error) {
      cleanUp();
      requestLog.end(outcome, 200, error);
    },
  });
  const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
  return createDirectResponse(body, { headers });
}
