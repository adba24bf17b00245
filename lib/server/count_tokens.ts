import { findAllowedRoute } from "./allowed_models.ts";
import { parseCountTokensRequest, parseMessagesRequest } from "../anthropic/parse.ts";
import type { Caller } from "../access/caller.ts";
import type { CountTokensRequest } from "../anthropic/schema.ts";
import { countsTokens } from "../dialects/mod.ts";
import { readJsonBody } from "./read_json.ts";
import { startDeadline } from "./deadline.ts";
import type { BodyCount } from "../limits/body_meter.ts";
import type { RequestLog } from "./request_log/request_log.ts";
import type { GatewayContext } from "./context.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { resolveFiles } from "./files/resolve_files.ts";
import type { RoutedCall } from "./routing/routed_call.ts";
import { readToolHeaders } from "./tool_headers.ts";
import { LossReport } from "../dialects/loss.ts";
import type { Route } from "../upstreams/upstream.ts";
import { logWarning } from "../observability/log.ts";
import { createMcpSession } from "../turns/gateway_tools/mcp_session.ts";
import { toUpstreamCaller } from "../turns/upstream_caller.ts";
import { toCountableRequest } from "../turns/countable_request.ts";
import { prepareTurn } from "../turns/prepare_turn.ts";
import { inputPrice } from "../tokens/price.ts";
import { readUpstreamHeaders } from "../upstreams/upstream_headers.ts";
import { readJsonResponse, send } from "../upstreams/send.ts";

/**
 * Answers `POST /v1/messages/count_tokens` with the upstream's count, if it has one, or else with an estimate. The API
 * allows estimates. Source: https://platform.claude.com/docs/en/build-with-claude/token-counting
 *
 * `x-token-count-source` is `upstream`, `estimate` or `learned;error=0.06`. A learned count is an estimate calibrated
 * with the usage that the upstream reported for earlier requests; `error` is its largest recent relative error.
 * `x-token-count-cost` is the list price of the input in USD, if known.
 *
 * @throws {ApiError} if the request is invalid or exceeds a rate limit.
 */
export async function answerCountTokens({ request, gateway, requestLog }: RoutedCall): Promise<Response> {
  const release = await gateway.limits.admitTokenCount(requestLog.caller);
  const body = gateway.bodies.start(requestLog.caller.client);
  try {
    return await countTokens(await readJsonBody(request, body, gateway), {
      request,
      gateway,
      requestLog,
      count: body,
    });
  } finally {
    body.end();
    release();
  }
}

async function countTokens(
  body: unknown,
  { request, gateway, requestLog, count }: {
    request: Request;
    gateway: GatewayContext;
    requestLog: RequestLog;
    count: BodyCount;
  },
): Promise<Response> {
  const { caller } = requestLog;
  const received = parseCountTokensRequest(body);
  const toolHeaders = readToolHeaders(request);
  requestLog.add({ model: received.model });
  const route = await findAllowedRoute(gateway, received.model, caller);
  requestLog.addRoute(route);
  const leavesUnknown = route.dialect.name === "anthropic";
  const countRequest = await resolveFiles(received, { gateway, caller, count, leavesUnknown });
  const mcp = createMcpSession(gateway, { betas: caller.betas, signal: request.signal });
  const countable = await toCountableRequest(countRequest, {
    context: gateway,
    toolHeaders,
    route,
    caller,
    mcp,
  }).finally(() => void mcp.close());
  const { tokens, source, context_management } =
    await fetchUpstreamCount(countable, { gateway, route, requestLog, clientSignal: request.signal }) ??
      estimate(countable, gateway, route);
  const price = inputPrice(route.facts.price, tokens);
  const headers = new Headers({ "x-token-count-source": source });
  if (price !== undefined) headers.set("x-token-count-cost", toDecimal(tokens * price));
  return Response.json({ input_tokens: tokens, ...(context_management && { context_management }) }, {
    headers,
  });
}

/** A number of tokens and its source. */
interface TokenCount {
  tokens: number;
  source: string;
  /** What the upstream says of the edits that it would make before it answers. */
  context_management?: JsonObject;
}

function estimate(countable: CountTokensRequest, { inputCounter }: GatewayContext, route: Route): TokenCount {
  const { tokens, error } = inputCounter.count(countable, route);
  return { tokens, source: error === undefined ? "estimate" : `learned;error=${roundUp(error)}` };
}

/** Returns the upstream's count, or undefined if the upstream has no token counting or fails. */
async function fetchUpstreamCount(
  countable: CountTokensRequest,
  { gateway, route, requestLog, clientSignal }: {
    gateway: GatewayContext;
    route: Route;
    requestLog: RequestLog;
    clientSignal: AbortSignal;
  },
): Promise<TokenCount | undefined> {
  const { caller } = requestLog;
  const { upstream, dialect } = route;
  const { countPath } = dialect;
  if (countPath === undefined || !countsTokens(upstream.preset, dialect)) return undefined;
  const deadline = startDeadline(clientSignal, gateway, UPSTREAM_COUNT_TIMEOUT_MS);
  try {
    const response = await send(gateway, upstream, {
      path: countPath,
      ...await toCountRequest(countable, gateway, { route, caller }),
      signal: deadline.signal,
      onHeaders(headers) {
        requestLog.upstreamHeaders = readUpstreamHeaders(headers, { upstream, caller });
      },
    });
    const answer = await readJsonResponse(response, upstream, { signal: deadline.signal });
    const { input_tokens: tokens, context_management: edits } = isObject(answer) ? answer : {};
    // A count of 0 is ignored: the client would stop watching the size of its context.
    if (typeof tokens !== "number" || tokens <= 0) return undefined;
    // Some hosts send it always; it means something only in answer to edits.
    const edited = isObject(countable.context_management) && isObject(edits);
    return { tokens, source: "upstream", ...(edited && { context_management: edits }) };
  } catch (error) {
    if (clientSignal.aborted) throw error;
    logWarning(
      "upstream token count failed, using an estimate",
      { upstream: upstream.name, error },
      "upstream",
    );
    return undefined;
  } finally {
    deadline.stop();
  }
}

/** Returns what the upstream receives to count a message. */
async function toCountRequest(
  countable: CountTokensRequest,
  gateway: GatewayContext,
  { route, caller }: { route: Route; caller: Caller },
): Promise<{ body: JsonObject; caller: Caller }> {
  const message = parseMessagesRequest({ ...countable, max_tokens: 1 });
  const { body, betas } = await prepareTurn(gateway, message, {
    route,
    caller,
    loss: new LossReport(),
    counts: true,
  });
  return { body, caller: toUpstreamCaller(caller, betas, route) };
}

/** Timeout for an upstream's count, in milliseconds. */
const UPSTREAM_COUNT_TIMEOUT_MS = 5000;

/** Rounds an error bound up to two decimals, at least 0.01. Rounded down, it would not be a bound. */
function roundUp(error: number): number {
  return Math.max(1, Math.ceil(error * 100)) / 100;
}

/** Formats an amount in USD without exponent and trailing zeros. */
function toDecimal(usd: number): string {
  return usd.toFixed(10).replace(/\.?0+$/, "");
}
