/** When a server that has ended is started again: never, unless it ended by itself with status 0, or always. */
export type RestartPolicy = "never" | "on-failure" | "always";

/** Configuration of a managed MCP server. All variables are expanded. */
export type ServerConfig = (StdioServer | HttpServer) & {
  readonly name: string;
  readonly restartPolicy: RestartPolicy;
  /** Maximum number of restarts in a row. A server that has run for a minute begins a new row. */
  readonly maxRestarts: number;
  readonly healthCheck: {
    readonly enabled: boolean;
    readonly intervalMs: number;
    readonly timeoutMs: number;
  };
};

/** A server that the gateway starts as a process. */
export type StdioServer = {
  readonly type: "stdio";
  readonly command: string;
  readonly args: readonly string[];
  /** The server's own variables. Beside them it receives `PATH` and `HOME` only. */
  readonly env: Readonly<Record<string, string>>;
  /** Working directory; undefined for that of the gateway. */
  readonly cwd?: string | undefined;
};

/** A server that is reached over streamable HTTP. */
export type HttpServer = {
  readonly type: "http";
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
};
