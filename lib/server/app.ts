import { Hono } from "hono";
import { authenticate } from "../access/caller.ts";
import { checkContentType } from "../access/content_type.ts";
import { answerPreflight, corsHeaders } from "../access/cors.ts";
import { checkHostAndOrigin } from "../access/origin_check.ts";
import { answerCountTokens } from "./count_tokens.ts";
import { ApiError, errorResponse, toApiError } from "../base/errors.ts";
import { RequestLog } from "./request_log.ts";
import type { GatewayContext } from "./context.ts";
import { answerHealth, answerRoot, answerStatus } from "./health.ts";
import { answerModel, answerModels } from "./models.ts";
import { answerMessages } from "./messages.ts";
import { answerToolMetrics } from "./tool_metrics.ts";

/** Status for the log only: the client has disconnected and receives no response. */
const CLIENT_CLOSED_REQUEST = 499;

type Env = { Bindings: { requestLog: RequestLog } };

/** Creates the handler of all requests. Converts every thrown value to an error response and never rejects. */
export function createApp(gateway: GatewayContext): (request: Request) => Promise<Response> {
  const { originPolicy, apiKeys } = gateway.access;
  const routes = createRoutes(gateway);

  async function answer(request: Request, requestLog: RequestLog): Promise<Response> {
    checkHostAndOrigin(request, originPolicy);
    const preflight = answerPreflight(request, originPolicy);
    if (preflight !== undefined) return preflight;
    requestLog.caller = await authenticate(request, apiKeys);
    checkContentType(request);
    return await routes.fetch(request, { requestLog });
  }

  return async (request) => {
    const requestLog = new RequestLog(request, gateway);
    let error: unknown;
    const response = await answer(request, requestLog).catch((thrown: unknown) => {
      error = thrown;
      const reply = errorResponse(toClientError(thrown, request), requestLog.requestId);
      return request.method === "HEAD" ? new Response(null, reply) : reply;
    });
    const { headers, status } = response;
    headers.set("request-id", requestLog.requestId);
    if (requestLog.correlationId !== undefined) headers.set("x-correlation-id", requestLog.correlationId);
    for (const [name, value] of corsHeaders(request, originPolicy)) headers.set(name, value);
    if (!requestLog.streaming) {
      requestLog.end(
        status < 400 ? "finished" : status === CLIENT_CLOSED_REQUEST ? "left" : "failed",
        status,
        error,
      );
    }
    return response;
  };
}

function createRoutes(gateway: GatewayContext): Hono<Env> {
  const app = new Hono<Env>();
  // Claude Code requests /v1/v1/messages if its base URL ends in /v1.
  for (const v1 of ["/v1", "/v1/v1"]) {
    app.post(`${v1}/messages`, (c) => answerMessages(c.req.raw, gateway, c.env.requestLog));
    app.post(`${v1}/messages/stream`, (c) => answerMessages(c.req.raw, gateway, c.env.requestLog));
    app.post(`${v1}/messages/count_tokens`, (c) => answerCountTokens(c.req.raw, gateway, c.env.requestLog));
    app.get(`${v1}/models`, (c) => answerModels(c.req.raw, gateway, c.env.requestLog));
    app.get(`${v1}/models/:id{.+}`, (c) => {
      const { caller } = c.env.requestLog;
      return answerModel(c.req.raw, gateway, { caller, id: c.req.param("id") });
    });
  }
  app.get("/", () => answerRoot());
  app.get("/health", () => answerHealth(gateway));
  app.get("/status", (c) => answerStatus(gateway, c.env.requestLog.caller));
  app.get("/tool-metrics", () => answerToolMetrics(gateway));
  app.get("/api/hello", (c) => c.json({ message: "hello" }));

  app.notFound(({ req }) => {
    throw new ApiError("not_found_error", `Cannot ${req.method} ${req.path}: no such endpoint`);
  });
  app.onError((error) => {
    throw error;
  });
  return app;
}

/** Converts a thrown value, an `Error` or not, to the error that the client receives. */
function toClientError(thrown: unknown, { signal }: Request): ApiError {
  const disconnected = signal.aborted && !(thrown instanceof ApiError);
  return disconnected
    ? new ApiError("api_error", "The client disconnected", { status: CLIENT_CLOSED_REQUEST })
    : toApiError(thrown);
}
