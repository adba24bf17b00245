import { isModelListed } from "../allowed_models.ts";
import { NAME, VERSION } from "../../base/version.ts";
import { countUnhandledErrors } from "../../observability/counters.ts";
import { describeRuntime } from "../../runtime/process.ts";
import type { ServerStatus } from "../../../tools/mcp/managed/managed_servers.ts";
import type { GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";
import { type ServerState, toServerState } from "../mcp_admin/server_state.ts";
import { reportTargets } from "../../upstreams/targets/report.ts";

/**
 * Answers `GET /health/detailed`: what the gateway depends on, checked. The status is `degraded`, still with HTTP 200,
 * if an upstream does not answer or rejects the gateway's key, if all models of an alias cool down, if tools cannot be
 * loaded, if an MCP server has crashed or does not answer, if a folder cannot be written, or after an unhandled error.
 * Aliases are shown to keys that may use them. The answer holds no secret, and no words of an upstream or an MCP
 * server.
 */
export async function answerDetailedHealth(
  { gateway, requestLog: { caller } }: RoutedCall,
): Promise<Response> {
  const { clock, config, operations, upstreamChecks, directory } = gateway;
  const startedAt = clock.now();
  const [upstreams, tools, servers] = await Promise.all([
    upstreamChecks.run(),
    checkTools(gateway),
    readServers(gateway),
  ]);
  const data = await gateway.dataDir?.run();
  const aliases = reportTargets(gateway);
  const storage = {
    errors: { storage: operations.errors.storage, ...problem(operations.errors.failure) },
    bodies: folderStatus(operations.bodies),
    recordings: folderStatus(operations.recordings),
    state: config.stateDir === undefined ? "memory" : "disk",
    data: { ...folderStatus(data), ...(data?.bytes !== undefined && { bytes: data.bytes }) },
  };
  const unhandled = countUnhandledErrors();
  const { errors, bodies, recordings } = operations;
  const isDegraded = unhandled > 0 || tools.status === "failed" ||
    [errors, bodies, recordings, data].some((folder) => folder?.failure !== undefined) ||
    Object.values(servers).some(({ health }) => health === "dead" || health === "unhealthy") ||
    Object.values(aliases).some(({ status }) => status === "unavailable") ||
    [...upstreams.values()].some(({ status }) => status === "unreachable" || status === "key_rejected");
  return Response.json({
    status: isDegraded ? "degraded" : "healthy",
    timestamp: new Date(startedAt).toISOString(),
    version: VERSION,
    service: NAME,
    processing_time_ms: clock.now() - startedAt,
    services: {
      upstreams: Object.fromEntries(upstreams),
      aliases: Object.fromEntries(
        Object.entries(aliases).filter(([alias]) => isModelListed(gateway, alias, caller)),
      ),
      tools,
      mcp_servers: servers,
      storage,
      unhandled_errors: unhandled,
    },
    configuration: {
      environment: config.environment,
      big_model: config.anthropicModel,
      small_model: config.anthropicSmallFastModel,
      api_key_configured: [...directory.upstreams.values()].some(({ key }) => key !== undefined),
      client_keys_required: gateway.access.apiKeys.required,
      upstream_dialect: config.upstreamDialect,
      validation: config.validation,
    },
    dependencies: { runtime: describeRuntime() },
  });
}

/** Loads the tools, if they are enabled. The reason of a failure holds paths, and is in the log only. */
async function checkTools(
  { loadToolbox, config }: GatewayContext,
): Promise<{ status: "disabled" | "ready" | "failed"; groups: string[] }> {
  const groups = [...config.tools ?? []];
  if (loadToolbox === undefined) return { status: "disabled", groups };
  const loaded = await loadToolbox().then(() => true, () => false);
  return { status: loaded ? "ready" : "failed", groups };
}

/** State of a managed MCP server. Why it has ended is told to the admin key only: it may hold the server's output. */
interface ServerHealth {
  status: ServerState;
  health: ServerStatus["health"];
  restarts: number;
}

/** Reads the states of the managed MCP servers, by name. None of them is started or pinged. */
async function readServers(
  { mcpServers, loadManagedServers }: GatewayContext,
): Promise<Record<string, ServerHealth>> {
  const control = await loadManagedServers?.();
  return Object.fromEntries(mcpServers.map(({ config: { name } }) => {
    const status = control?.status(name);
    const { health = "unknown", restarts = 0 } = status ?? {};
    return [name, { status: toServerState(status), health, restarts }];
  }));
}

function folderStatus(folder: { failure: string | undefined } | undefined) {
  return folder === undefined
    ? { status: "off" }
    : folder.failure === undefined
    ? { status: "on" }
    : { status: "failed", ...problem(folder.failure) };
}

function problem(failure: string | undefined): { problem?: string } {
  return failure === undefined ? {} : { problem: failure };
}
