import { createOperatorPage } from "./page/operator_page.ts";
import { createApp } from "./server/app.ts";
import type { LineStreams } from "./server/mcp_server/line_transport.ts";
import type { LineServer } from "./server/mcp_server/serve_lines.ts";
import type { SettingOrigins } from "./config/describe.ts";
import { parseConfig } from "./config/parse.ts";
import { reloadConfig, type Reloaded } from "./config/reload.ts";
import { ADMIN, LOCAL, requiresKeys } from "./config/gateway_keys.ts";
import type { Config, Settings } from "./config/settings.ts";
import { ApiError, errorResponse } from "./base/errors.ts";
import { readText } from "./server/body/read_text.ts";
import type { GatewayContext } from "./server/context.ts";
import { newId } from "./runtime/ids.ts";
import type { KeyStore } from "./keys/key_store.ts";
import type { CreateEngine } from "./durable/engine.ts";
import { createRestate } from "./durable/restate.ts";
import { openStores } from "./durable/stores.ts";
import { startDurable } from "./server/start_durable.ts";
import {
  configure,
  createGatewayContext,
  createShared,
  type GatewayOptions,
} from "./server/create_context.ts";

/** A web-standard request handler for `Deno.serve`, `Bun.serve`, Hono or any other server. */
export interface Gateway {
  /** Answers one request. Never rejects. */
  fetch(request: Request): Promise<Response>;
  /**
   * Loads the tools and connects to `DATA_URL` now, not with the first request that needs them. A configuration error
   * then shows at startup.
   *
   * @throws {ConfigError} if `WORKSPACE_ROOT` or `DATA_URL` cannot be used.
   */
  ready(): Promise<void>;
  /**
   * Replaces the settings for new requests; requests under way keep theirs, and counters and limits keep their use.
   * Returns the names of the changed settings, in two lists: those in force, and those that need a restart, such as
   * `TOOLS` and `STATE_DIR`, which keep their values. `origins` is as in {@linkcode GatewayOptions}.
   *
   * @throws {ConfigError} if a setting is invalid; then nothing changes.
   */
  reload(settings: Settings, origins?: SettingOrigins): Reloaded;
  /**
   * Rejects new requests and settles when all open requests have ended and their usage is stored. Answers that take
   * longer than `SHUTDOWN_TIMEOUT` are aborted; a stream then ends with an `error` event. An answer whose client has
   * left is open while the gateway reads on for its usage. Then ends the MCP servers that it manages. Call it before
   * the server closes its sockets.
   */
  stop(): Promise<void>;
}

/**
 * Creates a gateway that serves Anthropic's Messages API.
 *
 * @throws {ConfigError} if a setting is invalid; the error lists every mistake. The file `MCP_CONFIG`, with the
 * variables that it names, is read, and the folders `STATE_DIR` and `DATA_DIR` opened, only if all settings are valid.
 *
 * @example Usage
 * ```ts
 * import { createGateway } from "./gateway.ts";
 *
 * const gateway = createGateway({ settings: { ANTHROPIC_MODEL: "openai/gpt-5" } });
 * const response = await gateway.fetch(new Request("http://localhost/health"));
 * if (!response.ok) throw new Error("unhealthy");
 * ```
 */
export function createGateway(options: GatewayOptions = {}): Gateway {
  let config = parseConfig({ settings: options.settings ?? {} });
  const shared = createShared(config, options);
  let gateway = configure(shared, config, options);
  const { dataDir, dataUrl, dataQuota: quotaMiB } = config;
  const stores = openStores({ dataDir, dataUrl, quotaMiB, clock: shared.clock, newId });
  const durable = stores && startDurable(stores, {
    shared,
    createEngine: toEngine(config, shared),
    concurrency: config.batchConcurrency,
    gateway: () => gateway,
    clients: () => clientNames(config, shared.keyStore),
  });
  gateway = { ...gateway, ...durable?.services };
  const page = createOperatorPage({
    ...shared,
    createReplayGateway: createGateway,
    server: {
      readForm: ({ request, gateway }) => readText(request, { ...gateway, maxMiB: 1 }),
      operateServer: async (source, name, action) =>
        await (await import("./server/mcp_admin/operations.ts")).operateServer(source, name, action),
    },
  });
  let answer = createApp(gateway, page.routes);
  return {
    fetch: (request) => shared.shutdown.started ? Promise.resolve(shuttingDownResponse()) : answer(request),
    async ready() {
      await durable?.ready();
      await gateway.loadToolbox?.();
    },
    reload(settings, origins) {
      const { config: next, ...names } = reloadConfig(config, parseConfig({ settings }));
      config = next;
      const waiting = names.restart;
      if (names.changed.length === 0) gateway = { ...gateway, settings: { ...gateway.settings, waiting } };
      else {
        const kept = gateway.settings.all.filter(({ name }) => waiting.includes(name));
        const keptOrigins = Object.fromEntries(kept.map(({ name, origin }) => [name, origin]));
        const given = { settings, origins: { ...origins, ...keptOrigins }, waiting };
        gateway = { ...configure(shared, config, { ...options, ...given }), ...durable?.services };
      }
      if (names.changed.includes("GATEWAY_ADMIN_KEY")) page.signOutAll();
      answer = createApp(gateway, page.routes);
      page.endStreams();
      return names;
    },
    async stop() {
      durable?.stop();
      await shared.shutdown.start();
      await durable?.close();
      await gateway.limits.settle();
      await gateway.keyStore.uses.write();
      await gateway.stopServers();
    },
  };
}

/** Options of {@linkcode serveTools}. */
export interface ToolServerOptions extends Pick<GatewayOptions, "fetch" | "clock"> {
  settings: Settings;
  /** The connection to the client. */
  streams: LineStreams;
}

/**
 * Serves the gateway's tools as an MCP server to one client, without HTTP.
 *
 * @throws {ConfigError} if a setting is invalid, no tools are enabled, or `WORKSPACE_ROOT` cannot be used.
 */
export async function serveTools(
  { settings, streams, ...options }: ToolServerOptions,
): Promise<LineServer> {
  const gateway = createGatewayContext(parseConfig({ settings }, { stdio: true }), options);
  const { serveLines } = await import("./server/mcp_server/serve_lines.ts");
  return await serveLines(gateway, streams);
}

/** Returns what creates the engine of the settings, if they name one. */
function toEngine(
  { restateIngressUrl: ingressUrl, restateIdentityKeys: identityKeys = [], requestTimeout }: Config,
  { fetch, clock }: Pick<GatewayContext, "fetch" | "clock">,
): CreateEngine | undefined {
  if (ingressUrl === undefined) return undefined;
  const jobTimeoutMs = (requestTimeout || DAY_S) * 1000;
  return (doJob) => createRestate({ ingressUrl, identityKeys, jobTimeoutMs, fetch, clock }, doJob);
}

const DAY_S = 86_400;

/** Returns a retryable error and closes the connection, so that clients retry on another one. */
function shuttingDownResponse(): Response {
  const error = new ApiError("overloaded_error", "Cannot accept the request: the gateway is shutting down");
  const response = errorResponse(error, newId("req_"));
  response.headers.set("connection", "close");
  return response;
}

/** Returns the names that callers have: of the gateway's keys, or `local` without keys. */
async function clientNames(config: Config, store: KeyStore): Promise<ReadonlySet<string>> {
  const { gatewayApiKeys = [], gatewayAdminKey } = config;
  const clients = requiresKeys(config) ? [...gatewayApiKeys, ...await store.list()] : [{ name: LOCAL }];
  const keys = [...clients, ...(gatewayAdminKey ? [{ name: ADMIN }] : [])];
  return new Set(keys.map(({ name }) => name));
}
