import { Hono } from "hono";
import { identify } from "../access/caller.ts";
import { checkContent } from "../access/content_type.ts";
import { answerPreflight, toCorsHeaders } from "../access/cors.ts";
import { checkDoors } from "../access/origin_check.ts";
import { answerCountTokens } from "./count_tokens.ts";
import { ApiError, errorResponse, toApiError } from "../base/errors.ts";
import { Exchange } from "./request_log.ts";
import type { GatewayContext } from "./context.ts";
import { answerHealth, answerRoot, answerStatus } from "./health.ts";
import { answerModel, answerModels } from "./models.ts";
import { answerMessages } from "./messages.ts";
import { answerToolMetrics } from "./tool_metrics.ts";

/** Nobody reads it; the log does. */
const CLIENT_LEFT = 499;

type Env = { Bindings: { exchange: Exchange } };

/** Creates the handler of all requests. Whatever is thrown ends here, as an answer: it never throws itself. */
export function createApp(gateway: GatewayContext): (request: Request) => Promise<Response> {
  const { doors, keyring } = gateway.access;
  const routes = createRoutes(gateway);

  async function answer(request: Request, exchange: Exchange): Promise<Response> {
    checkDoors(request, doors);
    const preflight = answerPreflight(request, doors);
    if (preflight !== undefined) return preflight;
    exchange.caller = await identify(request, keyring);
    checkContent(request);
    return await routes.fetch(request, { exchange });
  }

  return async (request) => {
    const exchange = new Exchange(request, gateway);
    let error: unknown;
    const response = await answer(request, exchange).catch((thrown: unknown) => {
      error = thrown;
      const told = errorResponse(toTold(thrown, request), exchange.requestId);
      return request.method === "HEAD" ? new Response(null, told) : told;
    });
    const { headers, status } = response;
    headers.set("request-id", exchange.requestId);
    if (exchange.correlationId !== undefined) headers.set("x-correlation-id", exchange.correlationId);
    for (const [name, value] of toCorsHeaders(request, doors)) headers.set(name, value);
    if (!exchange.streaming) {
      exchange.end(status < 400 ? "finished" : status === CLIENT_LEFT ? "left" : "failed", status, error);
    }
    return response;
  };
}

function createRoutes(gateway: GatewayContext): Hono<Env> {
  const app = new Hono<Env>();
  // A base URL that ends in /v1 makes Claude Code ask for /v1/v1/messages.
  for (const v1 of ["/v1", "/v1/v1"]) {
    app.post(`${v1}/messages`, (c) => answerMessages(c.req.raw, gateway, c.env.exchange));
    app.post(`${v1}/messages/stream`, (c) => answerMessages(c.req.raw, gateway, c.env.exchange));
    app.post(`${v1}/messages/count_tokens`, (c) => answerCountTokens(c.req.raw, gateway, c.env.exchange));
    app.get(`${v1}/models`, (c) => answerModels(c.req.raw, gateway, c.env.exchange));
    app.get(`${v1}/models/:id{.+}`, (c) => {
      const { caller } = c.env.exchange;
      return answerModel(c.req.raw, gateway, { caller, id: c.req.param("id") });
    });
  }
  app.get("/", () => answerRoot());
  app.get("/health", () => answerHealth(gateway));
  app.get("/status", (c) => answerStatus(gateway, c.env.exchange.caller));
  app.get("/tool-metrics", () => answerToolMetrics(gateway));
  app.get("/api/hello", (c) => c.json({ message: "hello" }));

  app.notFound(({ req }) => {
    throw new ApiError("not_found_error", `Cannot ${req.method} ${req.path}: there is no such endpoint`);
  });
  app.onError((error) => {
    throw error;
  });
  return app;
}

/** What a client is told of whatever was thrown, be it an error or not. */
function toTold(thrown: unknown, { signal }: Request): ApiError {
  const left = signal.aborted && !(thrown instanceof ApiError);
  return left
    ? new ApiError("api_error", "The client has left", { status: CLIENT_LEFT })
    : toApiError(thrown);
}
