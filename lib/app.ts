import { type Context, Hono } from "hono";
import { answerCountTokens } from "./count_tokens.ts";
import { ApiError, errorResponse, toApiError } from "./errors.ts";
import { Exchange } from "./exchange.ts";
import type { Gateway } from "./gateway.ts";
import { answerHealth, answerRoot, answerStatus } from "./health.ts";
import { answerModel, answerModels } from "./list_models.ts";
import { answerMessages } from "./messages.ts";

/** Nobody reads it; the log does. */
const CLIENT_LEFT = 499;

type Env = { Variables: { exchange: Exchange } };

/** Creates the handler of all routes; it answers every request and never throws. */
export function createApp(gateway: Gateway): (request: Request) => Response | Promise<Response> {
  const app = new Hono<Env>();

  app.use(async (c, next) => {
    const exchange = new Exchange(c.req.raw, gateway);
    c.set("exchange", exchange);
    await next();
    c.res.headers.set("request-id", exchange.requestId);
    if (exchange.correlationId !== undefined) c.res.headers.set("x-correlation-id", exchange.correlationId);
    if (exchange.streaming) return;
    const { status } = c.res;
    exchange.end(status < 400 ? "finished" : status === CLIENT_LEFT ? "left" : "failed", status, c.error);
  });

  // A base URL that ends in /v1 makes Claude Code ask for /v1/v1/messages.
  for (const v1 of ["/v1", "/v1/v1"]) {
    app.post(`${v1}/messages`, (c) => answerMessages(c.req.raw, gateway, c.get("exchange")));
    app.post(`${v1}/messages/stream`, (c) => answerMessages(c.req.raw, gateway, c.get("exchange")));
    app.post(`${v1}/messages/count_tokens`, (c) => answerCountTokens(c.req.raw, gateway, c.get("exchange")));
    app.get(`${v1}/models`, (c) => answerModels(c.req.raw, gateway));
    app.get(`${v1}/models/:id{.+}`, (c) => answerModel(c.req.raw, gateway, c.req.param("id")));
  }
  app.get("/", () => answerRoot());
  app.get("/health", () => answerHealth(gateway));
  app.get("/status", () => answerStatus(gateway));
  app.get("/api/hello", (c) => c.json({ message: "hello" }));

  app.notFound((c) => {
    const error = new ApiError(
      "not_found_error",
      `Cannot ${c.req.method} ${c.req.path}: there is no such endpoint`,
    );
    return errorResponse(error, requestId(c));
  });
  app.onError((error, c) => {
    const left = c.req.raw.signal.aborted && !(error instanceof ApiError);
    const told = left
      ? new ApiError("api_error", "The client has left", { status: CLIENT_LEFT })
      : toApiError(error);
    return errorResponse(told, requestId(c));
  });

  return (request) => app.fetch(request);
}

function requestId(c: Context<Env>): string {
  return c.get("exchange").requestId;
}
