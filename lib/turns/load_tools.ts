import type { ToolsOptions } from "../../tools/mod.ts";
import type { CallRunner } from "../../tools/toolbox/call_runner.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { Clock } from "../runtime/clock.ts";
import { ConfigError } from "../config/parse.ts";
import type { Config } from "../config/settings.ts";
import { logAudit, logSetAside } from "../observability/log.ts";

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
}

/** Creates the loaders of the settings. */
export function createToolLoaders(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  clock: Clock,
): ToolLoaders {
  let runner: Promise<CallRunner> | undefined;
  let toolbox: Promise<Toolbox> | undefined;
  const loadCallRunner = () => runner ??= createRunner(config, clock);
  const options = toToolsOptions(config, clock);
  return {
    loadCallRunner,
    loadToolbox: options && (() => toolbox ??= load(options, loadCallRunner)),
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
