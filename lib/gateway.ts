import { createAccess } from "./access/access.ts";
import { createOperatorPage } from "./page/operator_page.ts";
import { createApp } from "./server/app.ts";
import { createModelCache } from "./upstreams/model_cache.ts";
import { type Clock, systemClock } from "./runtime/clock.ts";
import { createOperations, createRecords } from "./server/operator/operations.ts";
import { readTextFile } from "./runtime/files.ts";
import { readVariable } from "./runtime/process.ts";
import { createShutdown } from "./runtime/shutdown.ts";
import { readMcpConfig } from "./config/mcp/mcp_config.ts";
import type { LineStreams } from "./server/mcp_server/line_transport.ts";
import { type LineServer, serveLines } from "./server/mcp_server/serve_lines.ts";
import { describeSettings, type SettingOrigins, type SettingsInForce } from "./config/describe.ts";
import { parseConfig } from "./config/parse.ts";
import { reloadConfig, type Reloaded } from "./config/reload.ts";
import { ADMIN, LOCAL, requiresKeys } from "./config/gateway_keys.ts";
import type { Config, Settings } from "./config/settings.ts";
import { demo } from "./upstreams/demo.ts";
import { ApiError, errorResponse } from "./base/errors.ts";
import type { Hooks } from "./server/hooks.ts";
import type { GatewayContext } from "./server/context.ts";
import { readText } from "./server/body/read_text.ts";
import { operateServer } from "./server/mcp_admin/operations.ts";
import { createOpenCalls } from "./server/mcp_server/open_calls.ts";
import { newId } from "./runtime/ids.ts";
import { createInputCounter } from "./tokens/input_counter.ts";
import { createBodyMeter } from "./limits/body_meter.ts";
import { createLedger } from "./limits/ledger/create_ledger.ts";
import { DeviceCodes } from "./server/sign_in/device_codes.ts";
import { createKeyStore, type KeyStore } from "./keys/key_store.ts";
import { createLimiter, createLimitStore } from "./limits/limiter.ts";
import type { Directory } from "./upstreams/upstream.ts";
import { createFetch } from "./runtime/http/fetch.ts";
import { logWarning } from "./observability/log.ts";
import { createLearnedAdjustments } from "./turns/learned_adjustments.ts";
import { createToolLoaders } from "./turns/load_tools.ts";
import type { CreateEngine } from "./durable/engine.ts";
import { createRestate } from "./durable/restate.ts";
import { openStores } from "./durable/stores.ts";
import { startDurable } from "./server/start_durable.ts";
import { createKeptAnswers } from "./server/idempotency/kept_answers.ts";
import { createTargetHealth, createTargetMemory } from "./upstreams/targets/target_health.ts";
import { createTargetMetrics } from "./server/operator/target_metrics.ts";
import { createUpstreamChecks } from "./upstreams/upstream_check.ts";
import { createUpstreams } from "./upstreams/from_config.ts";
import type { Alias } from "./config/aliases.ts";

/** Options of {@linkcode createGateway}. */
export interface GatewayOptions {
  /** Settings by name, such as `OPENROUTER_API_KEY`; docs/configuration.md lists them. The environment is not read. */
  settings?: Settings;
  /**
   * Where the settings come from, by name, for the operator's page: such as `--port` or `environment`. Default: `settings`
   * for those that are given, `default` for the others.
   */
  origins?: SettingOrigins | undefined;
  /** The `fetch` that upstreams are called with. Default: the runtime's, without its built-in timeouts. */
  fetch?: typeof fetch;
  /** Clock and timers; tests inject their own. */
  clock?: Clock;
  /**
   * Address that the surrounding server listens on. On a loopback address, such as `127.0.0.1`, the `Host` of a request
   * must be a localhost name or one of `ALLOWED_HOSTS`, and requests of other sites' web pages are rejected.
   */
  host?: string | undefined;
  /** Functions that are called for each message: to refuse or rewrite it, to choose its model, to watch its answer. */
  hooks?: Hooks;
}

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
   * longer than `SHUTDOWN_TIMEOUT` are aborted; a stream then ends with an `error` event. An answer whose client has left
   * is open while the gateway reads on for its usage. Then ends the MCP servers that it manages. Call it
   * before the server closes its sockets.
   */
  stop(): Promise<void>;
}

/**
 * Creates a gateway that serves Anthropic's Messages API.
 *
 * @throws {ConfigError} if a setting is invalid; the error lists every mistake. The file `MCP_CONFIG`, with the variables
 * that it names, is read, and the folders `STATE_DIR` and `DATA_DIR` opened, only if all settings are valid.
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
      operateServer,
    },
  });
  let answer = createApp(gateway, page.routes);
  return {
    fetch: async (request) => shared.shutdown.started ? shuttingDownResponse() : await answer(request),
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

/**
 * Creates what the endpoints depend on from the settings. `DATA_DIR` is not opened.
 *
 * @throws {ConfigError} if the file `MCP_CONFIG` or the folder `STATE_DIR` cannot be used.
 */
export function createGatewayContext(config: Config, options: GatewayOptions = {}): GatewayContext {
  return configure(createShared(config, options), config, options);
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
  return await serveLines(createGatewayContext(parseConfig({ settings }, { stdio: true }), options), streams);
}

/** Creates what a change of the settings leaves as it is. */
function createShared(config: Config, { clock = systemClock, hooks = {}, ...options }: GatewayOptions) {
  const mcpServers = config.mcpConfig === undefined
    ? []
    : readMcpConfig(config.mcpConfig, { readText: readTextFile, readVariable });
  for (const { config: { name }, unknownFields } of mcpServers) {
    if (unknownFields.length > 0) {
      logWarning("unknown fields of an MCP server", { server: name, fields: unknownFields });
    }
  }
  const shutdown = createShutdown(clock, config.shutdownTimeout * 1000);
  const records = createRecords(config, clock);
  const targetMemory = createTargetMemory();
  for (const family of createTargetMetrics(targetMemory, clock)) records.metrics.add(family);
  return {
    fetch: options.fetch ?? createFetch(config),
    clock,
    hooks,
    newId,
    records,
    shutdown,
    inputCounter: createInputCounter(clock),
    learned: createLearnedAdjustments(),
    targetMemory,
    bodies: createBodyMeter(config.bodyMemory * 1024 * 1024),
    mcpCalls: createOpenCalls(),
    limitStore: createLimitStore(config, clock),
    ledger: createLedger(config, { clock, newId }),
    keyStore: createKeyStore(config, { clock, newId }),
    deviceCodes: new DeviceCodes({ clock, newId }),
    mcpServers,
    keptAnswers: createKeptAnswers({ clock, shutdown }),
    ...createToolLoaders(config, { clock, mcpServers }),
  };
}

/** Adds what follows from the settings. */
function configure(
  { limitStore: store, records, targetMemory, ...shared }: ReturnType<typeof createShared>,
  fullConfig: Config,
  { host, settings = {}, origins, waiting = [] }: GatewayOptions & Partial<Pick<SettingsInForce, "waiting">>,
): GatewayContext {
  const { gatewayApiKeys: _clients, gatewayAdminKey: _admin, ...config } = fullConfig;
  const { clock, newId } = shared;
  const directory = toDirectory(fullConfig);
  const access = createAccess(fullConfig, { host, stored: shared.keyStore });
  const limits = { ...config.limits, keys: { get: access.keyRules.limits } };
  return {
    ...shared,
    config,
    settings: { all: describeSettings(fullConfig, { settings, origins }), since: clock.now(), waiting },
    access,
    directory,
    upstreamChecks: createUpstreamChecks(directory.upstreams.values(), shared),
    // Lists are cached by the upstream's name: its address may have changed.
    modelCache: createModelCache(shared),
    targetHealth: createTargetHealth(targetMemory, {
      clock,
      firstMs: Math.min(config.cooldown, config.cooldownMax) * 1000,
      maxMs: config.cooldownMax * 1000,
    }),
    operations: createOperations(records, { config, clock, settings, mcpServers: shared.mcpServers }),
    limits: createLimiter({ limits }, { clock, newId, store, ledger: shared.ledger }),
  };
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
