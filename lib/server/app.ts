import { HonoBase } from "hono/hono-base";
import { TrieRouter } from "hono/router/trie-router";
import { authenticate, authenticateAdmin } from "../access/caller.ts";
import { checkContentType } from "../access/content_type.ts";
import { checkOperator } from "../access/operator.ts";
import { answerPreflight, corsHeaders } from "../access/cors.ts";
import { checkHostAndOrigin } from "../access/origin_check.ts";
import { isKeyName } from "../config/gateway_keys.ts";
import { logWarning } from "../observability/log.ts";
import { lacksTelemetry, loadTelemetry } from "../observability/telemetry.ts";
import { ApiError, errorResponse, toApiError } from "../base/errors.ts";
import { nearestRoute } from "./routing/nearest_route.ts";
import { readRoutePath } from "./routing/route_path.ts";
import { toRouteName } from "./routing/route_name.ts";
import { toCanonicalPath } from "./routing/canonical_path.ts";
import { type EndpointRoute, ROUTES } from "./routes.ts";
import { RequestLog } from "./request_log/request_log.ts";
import type { GatewayContext } from "./context.ts";

/** Status for the log only: the client has disconnected and receives no response. */
const CLIENT_CLOSED_REQUEST = 499;

/** Maximum characters of a path in an error message. */
const MAX_SHOWN_CHARS = 200;

/** The fields of a route that decide which requests with a key it accepts. */
type Access = Pick<EndpointRoute, "access" | "body" | "stale">;

type Env = { Bindings: { requestLog: RequestLog; path: string } };

/**
 * Creates the handler of all requests, with more routes than those of the API if `page` has some. Converts every thrown
 * value to an error response and never rejects.
 */
export function createApp(
  gateway: GatewayContext,
  page: readonly EndpointRoute[] = [],
): (request: Request) => Promise<Response> {
  const { originPolicy } = gateway.access;
  const routes = createRoutes(gateway, [...ROUTES, ...page]);

  function answer(request: Request, requestLog: RequestLog): Response | Promise<Response> {
    const path = toCanonicalPath(readRoutePath(request));
    checkHostAndOrigin(request, originPolicy);
    return answerPreflight(request, originPolicy) ?? routes.fetch(request, { requestLog, path });
  }

  return async (request) => {
    if (lacksTelemetry()) {
      await loadTelemetry().catch((error) =>
        logWarning("OpenTelemetry not loaded, request not traced", { error })
      );
    }
    const requestLog = new RequestLog(request, gateway);
    let error: unknown;
    let response: Response;
    try {
      response = await requestLog.trace.run(() => answer(request, requestLog));
    } catch (thrown) {
      error = thrown;
      response = errorResponse(requestLog.maskError(toClientError(thrown, request)), requestLog.requestId);
    }
    if (request.method === "HEAD") response = new Response(null, response);
    const { headers, status } = response;
    headers.set("request-id", requestLog.requestId);
    const { requestId: upstreamId, rateLimits } = requestLog.upstreamHeaders;
    if (upstreamId !== undefined) headers.set("x-upstream-request-id", upstreamId);
    // Limits of the gateway itself take precedence.
    for (const [name, value] of rateLimits) if (!headers.has(name)) headers.set(name, value);
    headers.set("x-correlation-id", requestLog.correlationId);
    for (const [name, value] of corsHeaders(request, originPolicy)) headers.set(name, value);
    requestLog.respond(headers);
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

/** Creates the router of the table of routes. A route checks its own access, so that no other path can reach it. */
function createRoutes(gateway: GatewayContext, table: readonly EndpointRoute[]): HonoBase<Env> {
  const app = new HonoBase<Env>({
    // Hono's default tries a router first that does not support these paths, which takes longer than the rest of the
    // start.
    router: new TrieRouter(),
    getPath: (_request, { env }: { env?: Env["Bindings"] } = {}) => env?.path ?? "",
  });
  const { apiKeys } = gateway.access;
  const operatorRules = {
    hasKeys: apiKeys.required || apiKeys.hasAdmin,
    development: gateway.config.environment === "development",
  };
  const admit = async (
    request: Request,
    requestLog: RequestLog,
    { access, body, stale }: Access,
    isOpen: boolean,
  ) => {
    if (access === "page") {
      requestLog.caller = await authenticate(request, apiKeys, { open: true });
      return;
    }
    requestLog.caller = access === "admin_key"
      ? await authenticateAdmin(request, apiKeys)
      : await authenticate(request, apiKeys, { open: isOpen, stale });
    const { client } = requestLog.caller;
    if (isKeyName(client)) gateway.keyStore.uses.touch(client);
    if (access !== undefined) checkOperator(requestLog.caller.client, access, operatorRules);
    checkContentType(request, body);
  };
  for (const route of table) {
    const name = toRouteName(route);
    app.on(route.method, route.path, async ({ req, env: { requestLog } }) => {
      const { raw: request } = req;
      requestLog.route = name;
      // A path that only means an open route, such as `/health/`, needs a key.
      const isOpen = route.open !== undefined && route.open.some((method) => method === request.method) &&
        readRoutePath(request) === route.path;
      await admit(request, requestLog, route, isOpen);
      return await route.answer({ request, gateway, requestLog, params: req.param() });
    });
  }
  app.notFound(async ({ req: { raw: request, method, path }, env: { requestLog } }) => {
    await admit(request, requestLog, {}, false);
    const why = `no such endpoint; the nearest is "${nearestRoute(method, path)}"`;
    throw new ApiError("not_found_error", `Cannot ${method} ${path.slice(0, MAX_SHOWN_CHARS)}: ${why}`);
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
