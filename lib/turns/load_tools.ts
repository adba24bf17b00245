import type { ToolsOptions } from "../../tools/mod.ts";
import type { Toolbox } from "../../tools/toolbox/toolbox.ts";
import type { Clock } from "../runtime/clock.ts";
import { ConfigError } from "../config/parse.ts";
import type { Config } from "../config/settings.ts";
import { logAudit, logSetAside } from "../observability/log.ts";

/**
 * Creates a function that loads the enabled tools on its first call; undefined if no tools are enabled.
 *
 * The function rejects with a {@linkcode ConfigError} if `WORKSPACE_ROOT` cannot be used.
 */
export function createToolboxLoader(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  clock: Clock,
): (() => Promise<Toolbox>) | undefined {
  const options = toToolsOptions(config, clock);
  if (options === undefined) return undefined;
  let loading: Promise<Toolbox> | undefined;
  return () => loading ??= load(options);
}

async function load(options: ToolsOptions): Promise<Toolbox> {
  const { createTools } = await import("../../tools/mod.ts");
  try {
    return await createTools(options);
  } catch (error) {
    throw error instanceof Error && error.name === "ToolError" ? new ConfigError([error.message]) : error;
  }
}

function toToolsOptions(
  config: Omit<Config, "gatewayApiKeys" | "gatewayAdminKey">,
  clock: Clock,
): ToolsOptions | undefined {
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
    limits: {
      timeoutMs: config.toolTimeout * 1000,
      concurrency: config.toolConcurrency,
      callsPerMinute: config.toolRate,
    },
    clock,
    audit: logAudit,
    warn: logSetAside,
  };
}
