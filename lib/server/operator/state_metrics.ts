import type { DataDirState } from "../../durable/data_dir_check.ts";
import { PREFIX } from "../../observability/metrics/gateway_metrics.ts";
import { createReading, type Family } from "../../observability/metrics/registry.ts";
import type { GatewayContext } from "../context.ts";
import { SERVER_STATES, type ServerState, toServerState } from "../mcp_admin/server_state.ts";

/** State of a managed MCP server, as the metrics show it. */
interface ServerReading {
  name: string;
  state: ServerState;
  restarts: number;
  calls: { total: number; failed: number };
}

/**
 * Returns the metrics of what the gateway depends on: its MCP servers and `DATA_DIR`. They have no series without them.
 */
export async function readStateFamilies(
  { mcpServers, loadManagedServers, dataDir }: Pick<
    GatewayContext,
    "mcpServers" | "loadManagedServers" | "dataDir"
  >,
): Promise<readonly Family[]> {
  const control = await loadManagedServers?.();
  const servers = mcpServers.map(({ config: { name } }): ServerReading => {
    const status = control?.status(name);
    return {
      name,
      state: toServerState(status),
      restarts: status?.restarts ?? 0,
      calls: status?.calls ?? { total: 0, failed: 0 },
    };
  });
  return [...toServerFamilies(servers), ...toDataDirFamilies(await dataDir?.run())];
}

function toServerFamilies(servers: readonly ServerReading[]): Family[] {
  return [
    createReading(
      {
        name: `${PREFIX}mcp_server_state`,
        help: "1 for the state of an MCP server",
        labels: ["server", "state"],
      },
      () =>
        servers.flatMap(({ name, state }) =>
          SERVER_STATES.map((other) => [[name, other], other === state ? 1 : 0] as const)
        ),
    ),
    createReading({
      name: `${PREFIX}mcp_server_restarts_total`,
      help: "Restarts of an MCP server after it has ended by itself",
      type: "counter",
      labels: ["server"],
    }, () => servers.map(({ name, restarts }) => [[name], restarts] as const)),
    createReading({
      name: `${PREFIX}mcp_calls_total`,
      help: "Calls of the tools of an MCP server",
      type: "counter",
      labels: ["server", "outcome"],
    }, () =>
      servers.flatMap(({ name, calls: { total, failed } }) => [
        [[name, "ok"], total - failed] as const,
        [[name, "failed"], failed] as const,
      ])),
  ];
}

function toDataDirFamilies(state: DataDirState | undefined): Family[] {
  const bytes = state?.bytes;
  return [
    createReading(
      { name: `${PREFIX}data_dir_writable`, help: "1 if DATA_DIR can be written" },
      () => state === undefined ? [] : [[[], state.failure === undefined ? 1 : 0]],
    ),
    createReading(
      { name: `${PREFIX}data_dir_bytes`, help: "Bytes of the database and the files in DATA_DIR" },
      () => bytes === undefined ? [] : [[[], bytes]],
    ),
  ];
}
