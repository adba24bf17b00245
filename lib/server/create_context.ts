import { createAccess } from "../access/access.ts";
import { createModelCache } from "../upstreams/model_cache.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { createOperations, createRecords } from "./operator/operations.ts";
import { readTextFile } from "../runtime/files.ts";
import { readVariable } from "../runtime/process.ts";
import { createShutdown } from "../runtime/shutdown.ts";
import { readMcpConfig } from "../config/mcp/mcp_config.ts";
import { describeSettings, type SettingOrigins, type SettingsInForce } from "../config/describe.ts";
import type { Config, Settings } from "../config/settings.ts";
import { demo } from "../upstreams/demo.ts";
import type { Hooks } from "./hooks.ts";
import type { GatewayContext } from "./context.ts";
import { createOpenCalls } from "./mcp_server/open_calls.ts";
import { newId } from "../runtime/ids.ts";
import { createInputCounter } from "../tokens/input_counter.ts";
import { createBodyMeter } from "../limits/body_meter.ts";
import { createLedger } from "../limits/ledger/create_ledger.ts";
import { DeviceCodes } from "./sign_in/device_codes.ts";
import { createKeyStore } from "../keys/key_store.ts";
import { createLimiter, createLimitStore } from "../limits/limiter.ts";
import type { Directory } from "../upstreams/upstream.ts";
import { createFetch } from "../runtime/http/fetch.ts";
import { logWarning } from "../observability/log.ts";
import { createLearnedAdjustments } from "../turns/learned_adjustments.ts";
import { createToolLoaders } from "../turns/load_tools.ts";
import { createKeptAnswers } from "./idempotency/kept_answers.ts";
import { createTargetHealth, createTargetMemory } from "../upstreams/targets/target_health.ts";
import { createTargetMetrics } from "./operator/target_metrics.ts";
import { createUpstreamChecks } from "../upstreams/upstream_check.ts";
import { createUpstreams } from "../upstreams/from_config.ts";
import type { Alias } from "../config/aliases.ts";

/** Options of `createGateway()`. */
export interface GatewayOptions {
  /** Settings by name, such as `OPENROUTER_API_KEY`; docs/configuration.md lists them. The environment is not read. */
  settings?: Settings;
  /**
   * Where the settings come from, by name, for the operator's page: such as `--port` or `environment`. Default:
   * `settings` for those that are given, `default` for the others.
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

/** What a change of the settings leaves as it is. */
export type SharedContext = ReturnType<typeof createShared>;

/**
 * Creates what the endpoints depend on from the settings. `DATA_DIR` is not opened.
 *
 * @throws {ConfigError} if the file `MCP_CONFIG` or the folder `STATE_DIR` cannot be used.
 */
export function createGatewayContext(config: Config, options: GatewayOptions = {}): GatewayContext {
  return configure(createShared(config, options), config, options);
}

/** Creates what a change of the settings leaves as it is. */
export function createShared(
  config: Config,
  { clock = systemClock, hooks = {}, ...options }: GatewayOptions,
) {
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
export function configure(
  { limitStore: store, records, targetMemory, ...shared }: SharedContext,
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
