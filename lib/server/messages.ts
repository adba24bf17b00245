import { collectMessage } from "../anthropic/collect.ts";
import type { StreamEvent } from "../anthropic/events.ts";
import { parseMessagesRequest } from "../anthropic/parse.ts";
import type { MessagesRequest } from "../anthropic/schema.ts";
import type { Bill } from "../tokens/turn_usage.ts";
import { readJson } from "./read_json.ts";
import { startDeadline } from "./deadline.ts";
import { toApiError, toErrorBody } from "../base/errors.ts";
import type { Exchange } from "./request_log.ts";
import { withFallbacks } from "../turns/fallback.ts";
import type { GatewayContext } from "./context.ts";
import { holdAnswer } from "../turns/hold.ts";
import { readWishes } from "./tool_headers.ts";
import { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { openMessage } from "../turns/message_start.ts";
import { withRetry } from "../turns/retry.ts";
import { findRoute, toHeaderName } from "../upstreams/find_route.ts";
import { writeEvents } from "./write_events.ts";
import { withTools } from "../turns/with_tools.ts";

/**
 * Answers `POST /v1/messages`: the journey of one request.
 *
 * @throws {ApiError} as long as the answer has not begun; a stream that has begun tells its failure itself.
 */
export async function answerMessages(
  request: Request,
  gateway: GatewayContext,
  exchange: Exchange,
): Promise<Response> {
  const { caller } = exchange;
  const message = parseMessagesRequest(await readJson(request, gateway));
  const wishes = readWishes(request);
  let route = await findRoute(gateway, message.model, caller);
  exchange.note({ model: message.model, answeredBy: toHeaderName(route) });

  const expected = { inputTokens: gateway.inputCounter.guess(message, route) };
  const admission = await gateway.limits.admit(caller, expected);
  const loss = new LossReport();
  const deadline = startDeadline(request.signal, gateway, gateway.config.requestTimeout * 1000);
  const end = () => {
    deadline.stop();
    admission.release();
  };
  const onBill = (bill: Bill, route: Route) => {
    if (bill.cost !== undefined) exchange.pay(bill.cost);
    admission.charge(bill, toHeaderName(route));
  };
  const onRoute = (next: Route) => {
    route = next;
    exchange.note({ answeredBy: toHeaderName(next) });
  };
  const turn = {
    message,
    wishes,
    caller,
    requestId: exchange.requestId,
    signal: deadline.signal,
    loss,
    repeats: gateway.config.upstreamRetries,
    permit: admission.permit,
    onBill,
  };
  const toAsk = withTools(gateway, turn);
  const toAskAgain = withRetry(toAsk, { ...turn, strict: gateway.config.validation === "strict" });
  const ask = withFallbacks(toAskAgain, { ...turn, context: gateway, route, onRoute });
  const answer = exchange.watch(ask(message));

  const streamed = message.stream === true || new URL(request.url).pathname.endsWith("/stream");
  try {
    const response = streamed
      ? await streamAnswer(answer, { message, route, gateway, exchange, end, client: request.signal })
      : Response.json(await collectMessage(answer));
    response.headers.set("x-gateway-model", toHeaderName(route));
    for (const [name, value] of Object.entries(admission.headers)) response.headers.set(name, value);
    const lost = loss.toHeader();
    if (lost !== undefined) response.headers.set("x-gateway-loss", lost);
    return response;
  } finally {
    if (loss.entries.length > 0) exchange.note({ loss: loss.entries.map((entry) => entry.join(" ")) });
    if (!exchange.streaming) end();
  }
}

interface StreamOptions {
  message: MessagesRequest;
  route: Route;
  gateway: GatewayContext;
  exchange: Exchange;
  /** Ends whatever the request holds. */
  end(): void;
  client: AbortSignal;
}

async function streamAnswer(
  answer: AsyncGenerator<StreamEvent[]>,
  { message, route, gateway, exchange, end, client }: StreamOptions,
): Promise<Response> {
  const { clock, config } = gateway;
  const opening = () => openMessage(message, route, gateway);
  const held = await holdAnswer(answer, { clock, patience: config.holdTimeout * 1000, opening });
  exchange.streaming = true;
  const body = writeEvents(held, {
    clock,
    client,
    pingEvery: config.pingInterval * 1000,
    toErrorBody: (error) => toErrorBody(toApiError(error), exchange.requestId),
    onEnd(outcome, error) {
      end();
      exchange.end(outcome, 200, error);
    },
  });
  const headers = { "content-type": "text/event-stream; charset=utf-8", "cache-control": "no-cache" };
  return new Response(body, { headers });
}
