import type { ToolsOptions } from "../../tools/mod.ts";
import type { ServerControl } from "../../tools/mcp/managed/managed_servers.ts";
import type { CallRunner } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { Clock } from "../runtime/clock.ts";
import { ConfigError } from "../config/parse.ts";
import type { Config } from "../config/settings.ts";
import type { McpServer } from "../config/mcp_config.ts";
import { redact } from "../base/redact.ts";
import { createRedactor } from "../base/redact_secrets.ts";
import { NAME, VERSION } from "../base/version.ts";
import { readVariable } from "../runtime/process.ts";
import { logAudit, logServerState, logSetAside } from "../observability/log.ts";

/** Loads what runs tools, on the first call of each function. */
export interface ToolLoaders {
  /**
   * Loads the enabled tools; undefined if the operator has enabled none.
   *
   * @throws {ConfigError} if `WORKSPACE_ROOT` cannot be used.
   */
  loadToolbox?: (() => Promise<Toolbox>) | undefined;
  /** Loads the limits that all calls run in, those of the toolbox included. */
  loadCallRunner(): Promise<CallRunner>;
  /** Loads the MCP servers that the gateway manages; undefined if there are none. It starts none of them. */
  loadServers?: (() => Promise<ServerControl>) | undefined;
  /** Ends all managed MCP servers for good, if they have been loaded. */
  stopServers(): Promise<void>;
}

/** What the loaders need beside the settings. */
export interface LoaderOptions {
  clock: Clock;
  /** The `fetch` for MCP servers over HTTP. */
  fetch: typeof fetch;
  /** The servers of `MCP_CONFIG`. */
  mcpServers: readonly McpServer[];
}

/** Creates the loaders of the settings. */
export function createToolLoaders(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  { clock, fetch, mcpServers }: LoaderOptions,
): ToolLoaders {
  let servers: Promise<ServerControl> | undefined;
  let runner: Promise<CallRunner> | undefined;
  let toolbox: Promise<Toolbox> | undefined;
  const loadCallRunner = () => runner ??= createRunner(config, clock);
  const options = toToolsOptions(config, clock);
  return {
    loadCallRunner,
    loadToolbox: options && (() => toolbox ??= load(options, loadCallRunner)),
    loadServers: mcpServers.length === 0
      ? undefined
      : () => servers ??= createServers(mcpServers, { clock, fetch }),
    async stopServers() {
      await (await servers)?.stopAll();
    },
  };
}

async function createRunner(
  { toolTimeout, toolConcurrency, toolRate }: Pick<Config, "toolTimeout" | "toolConcurrency" | "toolRate">,
  clock: Clock,
): Promise<CallRunner> {
  const { createCallRunner } = await import("../../tools/toolbox/call_runner.ts");
  const limits = {
    timeoutMs: toolTimeout * 1000,
    concurrency: toolConcurrency,
    callsPerMinute: toolRate,
  };
  return createCallRunner({ limits, clock, audit: logAudit });
}

async function createServers(
  mcpServers: readonly McpServer[],
  options: Pick<LoaderOptions, "clock" | "fetch">,
): Promise<ServerControl> {
  const { createManagedServers } = await import("../../tools/mcp/managed/managed_servers.ts");
  const redactors = new Map(mcpServers.map(({ config, secrets }) => [
    config.name,
    createRedactor(secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/)])),
  ]));
  const inherited = ["PATH", "HOME"].map((name) => [name, readVariable(name)]);
  return createManagedServers({
    ...options,
    configs: mcpServers.map(({ config }) => config),
    client: { name: NAME, version: VERSION },
    inherited: Object.fromEntries(inherited.filter(([, value]) => value !== undefined)),
    redact: (name, text) => redact(redactors.get(name)?.(text) ?? text),
    onChange: logServerState,
  });
}

async function load(
  options: Omit<ToolsOptions, "runner">,
  loadCallRunner: () => Promise<CallRunner>,
): Promise<Toolbox> {
  const { createTools } = await import("../../tools/mod.ts");
  try {
    return await createTools({ ...options, runner: await loadCallRunner() });
  } catch (error) {
    throw error instanceof Error && error.name === "ToolError" ? new ConfigError([error.message]) : error;
  }
}

function toToolsOptions(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  clock: Clock,
): Omit<ToolsOptions, "runner"> | undefined {
  const { tools: groups, workspaceRoot: root } = config;
  if (groups === undefined || root === undefined) return undefined;
  return {
    root,
    stateDir: config.stateDir,
    groups,
    shell: { sandbox: config.shellSandbox, network: config.shellNetwork === "on" },
    web: {
      allowHosts: new Set(config.webFetchAllowHosts),
      search: config.webSearch === "openrouter"
        ? { engine: config.webSearch }
        : { engine: config.webSearch, url: config.webSearchUrl, key: config.webSearchKey },
    },
    clock,
    warn: logSetAside,
  };
}
