import type { ToolsOptions } from "../../tools/mod.ts";
import type { ServerControl } from "../../tools/mcp/managed/managed_servers.ts";
import type { ConnectRemote } from "../../tools/mcp/remote.ts";
import type { McpToolList } from "../../tools/mcp/tool_list.ts";
import type { CallRunner } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { Clock } from "../runtime/clock.ts";
import { ConfigError } from "../config/parse.ts";
import type { Config } from "../config/settings.ts";
import type { McpServer } from "../config/mcp/mcp_config.ts";
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
  /** Loads the client of MCP servers. */
  loadMcpClient(): Promise<McpClient>;
  /** Loads the MCP servers that the operator manages; undefined if there are none. It starts none of them. */
  loadManagedServers?: (() => Promise<ServerControl>) | undefined;
  /** Ends all managed MCP servers for good, if they have been loaded. */
  stopServers(): Promise<void>;
}

/** What the loaders need beside the settings. */
export interface LoaderOptions {
  clock: Clock;
  /** The servers of `MCP_CONFIG`. */
  mcpServers: readonly McpServer[];
}

/** Client of the MCP servers that clients name by URL. */
export interface McpClient {
  connect: ConnectRemote;
  /**
   * Reads a list of tools in a request, within the limits of a server's list.
   *
   * @throws {McpError} if it is not a list.
   */
  readToolList(server: string, tools: unknown): McpToolList;
}

/** Creates the loaders of the settings. */
export function createToolLoaders(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  { clock, mcpServers }: LoaderOptions,
): ToolLoaders {
  let servers: Promise<ServerControl> | undefined;
  let runner: Promise<CallRunner> | undefined;
  let toolbox: Promise<Toolbox> | undefined;
  let mcpClient: Promise<McpClient> | undefined;
  const loadCallRunner = () => runner ??= createRunner(config, clock);
  const options = toToolsOptions(config, clock);
  return {
    loadCallRunner,
    loadMcpClient: () => mcpClient ??= createMcpClient(config, clock),
    loadToolbox: options && (() => toolbox ??= load(options, loadCallRunner)),
    loadManagedServers: mcpServers.length === 0
      ? undefined
      : () => servers ??= createServers(mcpServers, config, clock),
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
  { mcpResultChars: maxResultChars }: Pick<Config, "mcpResultChars">,
  clock: Clock,
): Promise<ServerControl> {
  const { createManagedServers } = await import("../../tools/mcp/managed/managed_servers.ts");
  const redactors = new Map(mcpServers.map(({ config, secrets }) => [
    config.name,
    createRedactor(secrets.flatMap((secret) => [secret, ...secret.split(/\r?\n/)])),
  ]));
  const inherited = ["PATH", "HOME"].map((name) => [name, readVariable(name)]);
  return createManagedServers({
    clock,
    maxResultChars,
    configs: mcpServers.map(({ config }) => config),
    client: { name: NAME, version: VERSION },
    inherited: Object.fromEntries(inherited.filter(([, value]) => value !== undefined)),
    redact: (name, text) => redact(redactors.get(name)?.(text) ?? text),
    onChange: logServerState,
  });
}

async function createMcpClient(
  { webFetchAllowHosts }: Pick<Config, "webFetchAllowHosts">,
  clock: Clock,
): Promise<McpClient> {
  const [{ createRemote }, { readToolList }] = await Promise.all([
    import("../../tools/mcp/remote.ts"),
    import("../../tools/mcp/tool_list.ts"),
  ]);
  const connect = createRemote({ allowHosts: webFetchAllowHosts ?? [] }, {
    after: (ms, run) => clock.after(ms, run),
  });
  return { connect, readToolList };
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
    stateFolders: { STATE_DIR: config.stateDir, DATA_DIR: config.dataDir },
    mcpConfig: config.mcpConfig,
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
