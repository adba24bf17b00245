import type { ServerStatus } from "../../../tools/mcp/managed/managed_servers.ts";

/**
 * The states of a managed server, in the words of the endpoints and metrics. `dead`: it has ended and is not restarted.
 */
export const SERVER_STATES = ["stopped", "starting", "running", "restarting", "stopping", "dead"] as const;
export type ServerState = typeof SERVER_STATES[number];

/** Returns the state of a server. One that was never used is stopped. */
export function toServerState(status: ServerStatus | undefined): ServerState {
  const name = status?.state.name ?? "stopped";
  return name === "failed" ? "dead" : name;
}
