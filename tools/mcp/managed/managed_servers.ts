import type { Clock } from "../../clock.ts";
import { McpError } from "../../errors.ts";
import type { ManagedServers, McpConnection } from "../connection.ts";
import type { McpToolList } from "../tool_list.ts";
import type { ServerState } from "./lifecycle.ts";
import { ManagedServer } from "./managed_server.ts";
import type { ServerConfig } from "./server_config.ts";
import type { OpenLink } from "./server_link.ts";
import { createServerLog } from "./server_log.ts";

/** Options of {@linkcode createManagedServers}. */
export interface ManagedServersOptions {
  configs: readonly ServerConfig[];
  /** Name and version of the gateway, as sent to the servers. */
  client: { name: string; version: string };
  /** Variables that every process receives beside its own: `PATH` and `HOME`. */
  inherited: Readonly<Record<string, string>>;
  /** Maximum length of a result's text, in characters. */
  maxResultChars: number;
  clock: Clock;
  /** Removes the secrets of a server's configuration from a text. */
  redact(name: string, text: string): string;
  /** Called after each change of a server's state. */
  onChange(name: string, state: ServerState): void;
  /** Starts servers; replaced in tests. */
  open?: OpenLink;
}

/** State of a server, as the operator sees it. Times are in milliseconds since 1970. */
export interface ServerStatus {
  name: string;
  state: ServerState;
  pid: number | undefined;
  restarts: number;
  /** Calls of its tools since the gateway started, and those of them that failed or returned an error. */
  calls: { readonly total: number; readonly failed: number };
  health: "unknown" | "healthy" | "unhealthy" | "dead";
  lastHealthCheck: number | undefined;
  /** The last lines of its stderr, without secrets. */
  log: string[];
}

/** The managed servers, and what the operator can do with them. No function accepts a command. */
export interface ServerControl extends ManagedServers {
  /** Returns the state of a server; undefined if there is no such server. */
  status(name: string): ServerStatus | undefined;
  /**
   * Starts a server, and settles when it runs. Starts that run at the same time are one.
   *
   * @throws {McpError} if it cannot be started.
   */
  start(name: string): Promise<void>;
  /** Stops a server, and settles when all its processes have ended. With `force`, they are killed at once. */
  stop(name: string, options?: { force?: boolean }): Promise<void>;
  /**
   * Reads the tools of a server.
   *
   * @throws {McpError} if it does not run, or does not answer.
   */
  tools(name: string, signal: AbortSignal): Promise<McpToolList>;
  /** Pings the servers that run. */
  checkHealth(): Promise<void>;
  /** Stops all servers for good. */
  stopAll(): Promise<void>;
}

/** Lines of the log in a status. */
const STATUS_LINES = 50;

/** Creates the servers of the configuration. None of them is started. */
export function createManagedServers(
  { configs, clock, redact, onChange, ...options }: ManagedServersOptions,
): ServerControl {
  const open = options.open ?? createOpen({ ...options, clock });
  const servers = new Map(configs.map((config) => [
    config.name,
    new ManagedServer({
      config,
      open,
      clock,
      log: createServerLog((line) => redact(config.name, line)),
      onChange: ({ lifecycle }) => onChange(config.name, lifecycle.state),
    }),
  ]));

  function find(name: string): ManagedServer {
    const server = servers.get(name);
    if (server === undefined) {
      throw new McpError(`Cannot find MCP server "${name}": MCP_CONFIG has none of this name`);
    }
    return server;
  }

  return {
    has: (name) => servers.has(name),
    names: () => [...servers.keys()],
    // Not a plain call: an unknown name must reject, not throw.
    connect: async (name, signal): Promise<McpConnection> => await find(name).connect(signal),
    status(name) {
      const server = servers.get(name);
      return server && toStatus(server);
    },
    start: async (name) => await find(name).start(),
    stop: async (name, stopOptions) => await find(name).stop(stopOptions),
    async tools(name, signal) {
      const { connection } = find(name);
      if (connection === undefined) {
        throw new McpError(`Cannot list the tools of MCP server "${name}": it does not run`);
      }
      return await connection.listTools(signal);
    },
    async checkHealth() {
      await Promise.all([...servers.values()].map((server) => server.ping()));
    },
    async stopAll() {
      await Promise.all([...servers.values()].map((server) => server.stop({ forGood: true })));
    },
  };
}

/** Returns the function that starts servers. What each kind of server needs is loaded with the first of its kind. */
function createOpen(
  { inherited, ...options }: Pick<ManagedServersOptions, "client" | "inherited" | "maxResultChars" | "clock">,
): OpenLink {
  return async (config, openOptions) => {
    if (config.type === "http") {
      const { openHttpLink } = await import("./http_link.ts");
      return await openHttpLink(config, { ...openOptions, ...options });
    }
    const { openStdioLink } = await import("./stdio_link.ts");
    return await openStdioLink(config, { ...openOptions, ...options, inherited });
  };
}

function toStatus(
  { config: { name }, lifecycle: { state, restarts }, calls, pid, lastHealthCheck, log }: ManagedServer,
): ServerStatus {
  return {
    name,
    state,
    pid,
    restarts,
    calls: { ...calls },
    health: toHealth(state),
    lastHealthCheck,
    log: log.last(STATUS_LINES),
  };
}

function toHealth(state: ServerState): ServerStatus["health"] {
  if (state.name === "failed" || state.name === "restarting") return "dead";
  if (state.name !== "running") return "unknown";
  return state.failedPings === 0 ? "healthy" : "unhealthy";
}
