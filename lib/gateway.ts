import { createAccess } from "./access/access.ts";
import { createApp } from "./server/app.ts";
import { createModelCache } from "./upstreams/model_cache.ts";
import { type Clock, systemClock } from "./runtime/clock.ts";
import { createShutdown } from "./runtime/shutdown.ts";
import { parseConfig } from "./config/parse.ts";
import type { Config, Settings } from "./config/settings.ts";
import { demo } from "./upstreams/demo.ts";
import { ApiError, errorResponse } from "./base/errors.ts";
import type { GatewayContext } from "./server/context.ts";
import { newId } from "./runtime/ids.ts";
import { createInputCounter } from "./tokens/input_counter.ts";
import { createLimiter } from "./limits/limiter.ts";
import type { Directory } from "./upstreams/upstream.ts";
import { createFetch } from "./runtime/fetch.ts";
import { createCounters } from "./observability/counters.ts";
import { createToolboxLoader } from "./turns/load_tools.ts";
import { createUpstreams } from "./upstreams/from_config.ts";
import type { Alias } from "./config/aliases.ts";

/** What a gateway is made of. */
export interface GatewayOptions {
  /** By the names of the README's table, such as `OPENROUTER_API_KEY`. The environment is not read. */
  settings?: Settings;
  /** How upstreams are reached; the runtime's own `fetch`, without its limits of time, where nothing is given. */
  fetch?: typeof fetch;
  /** Time and timers, for tests. */
  clock?: Clock;
  /**
   * The address that the server around it listens on. On one of loopback's, such as `127.0.0.1`, a request is answered
   * only if it calls the gateway by a name of this machine or of `ALLOWED_HOSTS`, and comes from no foreign web page.
   */
  host?: string | undefined;
}

/** A web-standard handler: give it to `Deno.serve`, `Bun.serve`, Hono or any other server. */
export interface Gateway {
  /** Answers one request; it never throws. */
  fetch(request: Request): Promise<Response>;
  /**
   * Loads what is otherwise loaded with the first request that needs it, so that a mistake shows at the start.
   *
   * @throws {ConfigError} if `WORKSPACE_ROOT` cannot be used.
   */
  ready(): Promise<void>;
  /**
   * Takes nothing new from now on, and settles when all that was open is answered. Streams that take longer than
   * `SHUTDOWN_TIMEOUT` end with an `error` event. It is for whoever stops a server: before its sockets are cut.
   */
  stop(): Promise<void>;
}

/**
 * Creates a gateway that speaks Anthropic's Messages API.
 *
 * @throws {ConfigError} if a setting is wrong; it names every mistake at once. A folder in `STATE_DIR` is tried only
 * when all else is right.
 *
 * @example Usage
 * ```ts
 * import { createGateway } from "./gateway.ts";
 *
 * const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" } });
 * const response = await gateway.fetch(new Request("http://localhost/health"));
 * if (!response.ok) throw new Error("unwell");
 * ```
 */
export function createGateway(
  { settings = {}, clock = systemClock, host, ...options }: GatewayOptions = {},
): Gateway {
  const fullConfig = parseConfig({ settings });
  const { gatewayApiKeys: _clients, gatewayAdminKey: _admin, ...config } = fullConfig;
  const { fetch = createFetch(config) } = options;
  const shutdown = createShutdown(clock, config.shutdownTimeout * 1000);
  const gateway: GatewayContext = {
    config,
    access: createAccess(fullConfig, host),
    fetch,
    clock,
    newId,
    directory: toDirectory(config),
    modelCache: createModelCache({ fetch, clock }),
    counters: createCounters(clock.now()),
    shutdown,
    inputCounter: createInputCounter(clock),
    limits: createLimiter(config, { clock, newId }),
    loadToolbox: createToolboxLoader(config, clock),
  };
  const answer = createApp(gateway);
  return {
    fetch: async (request) => shutdown.started ? shuttingDownResponse() : await answer(request),
    async ready() {
      await gateway.loadToolbox?.();
    },
    stop: () => shutdown.start(),
  };
}

/** Clients ask again, and should do so on another connection. */
function shuttingDownResponse(): Response {
  const error = new ApiError("overloaded_error", "Cannot take the request: the gateway is being stopped");
  const response = errorResponse(error, newId("req_"));
  response.headers.set("connection", "close");
  return response;
}

function toDirectory(config: Config): Directory {
  const aliases: [string, Alias][] = [
    ["big", { model: config.anthropicModel }],
    ["small", { model: config.anthropicSmallFastModel }],
    ...config.modelMap,
  ];
  return {
    upstreams: new Map([...createUpstreams(config), demo].map((upstream) => [upstream.name, upstream])),
    aliases: new Map(aliases),
  };
}
