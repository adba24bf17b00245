import { ProtocolError } from "@modelcontextprotocol/client";
import { raceAbort } from "../../abort.ts";
import { McpError, ToolError } from "../../errors.ts";
import type { McpConnection } from "../connection.ts";
import { INITIAL, type Lifecycle, type LifecycleAction, type LifecycleChange, next } from "./lifecycle.ts";
import { redactErrors, toReason, withLog, withoutLog } from "./failure_reason.ts";
import type { ServerConfig } from "./server_config.ts";
import { openServer, type OpenServerOptions } from "./open_server.ts";
import type { ServerLink } from "./server_link.ts";
import type { ServerLog } from "./server_log.ts";

/** Options of {@linkcode ManagedServer}. */
export interface ManagedServerOptions extends OpenServerOptions {
  /** Called after each change of the state. */
  onChange(server: ManagedServer): void;
}

/** Time after a failure within which a use of the server does not start it again. */
const COOL_DOWN_MS = 30_000;
/** Minimum time between two looks at the processes of a server. */
const LOOK_INTERVAL_MS = 5000;

/** One MCP server of the configuration: its state, and the connection that all calls share. */
export class ManagedServer {
  readonly config: ServerConfig;
  readonly log: ServerLog;
  /** Calls of its tools since the gateway started, and those of them that failed or returned an error. */
  readonly calls = { total: 0, failed: 0 };
  /** Time of the last answer or missing answer of a running server. */
  lastHealthCheck: number | undefined;
  readonly #options: ManagedServerOptions;
  #lifecycle: Lifecycle = INITIAL;
  #link: ServerLink | undefined;
  /** The link whose connection is closed, until its processes have ended. */
  #closedLink: ServerLink | undefined;
  /** Aborts the start that runs. */
  #opening: AbortController | undefined;
  /** Reason why a running server is ended to be restarted. */
  #abandonReason: string | undefined;
  #cancelTimer = () => {};
  #lookedAt = -Infinity;
  #isClosed = false;
  readonly #waiting = new Set<() => void>();

  constructor(options: ManagedServerOptions) {
    this.config = options.config;
    this.log = options.log;
    this.#options = options;
  }

  get lifecycle(): Lifecycle {
    return this.#lifecycle;
  }

  /** Id of its process; undefined if it has none. */
  get pid(): number | undefined {
    return this.#link?.pid;
  }

  /** The connection, if the server runs and has not closed it. Its errors hold no secrets. */
  get connection(): McpConnection | undefined {
    const isOpen = this.#lifecycle.state.name === "running" && this.#link !== this.#closedLink;
    return isOpen && this.#link !== undefined ? redactErrors(this.#link.connection, this.log) : undefined;
  }

  /**
   * Returns the connection. Starts the server if it is stopped, and waits for a restart. A server that has failed is
   * started again after a cool-down of 30 s. The errors hold none of its output: they are for clients.
   *
   * @throws {McpError} if it cannot be started.
   * @throws the reason of the signal, if it is aborted. The start goes on then.
   */
  async connect(signal: AbortSignal): Promise<McpConnection> {
    for (let hasStarted = false;;) {
      signal.throwIfAborted();
      this.#checkOpen();
      const { connection } = this;
      const { state } = this.#lifecycle;
      switch (state.name) {
        case "running":
          if (connection !== undefined) return this.#share(connection);
          break;
        case "failed":
          if (hasStarted || this.#options.clock.now() - state.at < COOL_DOWN_MS) {
            throw this.#startError(withoutLog(state.reason));
          }
          this.#apply({ type: "start" });
          break;
        case "stopped":
          if (hasStarted) throw this.#startError("it was stopped");
          this.#apply({ type: "start" });
          break;
        case "starting":
        case "restarting":
        case "stopping":
      }
      hasStarted = state.name !== "stopping" && state.name !== "running";
      await raceAbort(this.#nextChange(), signal);
    }
  }

  /**
   * Starts the server, and waits until it runs. Starts that run at the same time are one.
   *
   * @throws {McpError} if it cannot be started.
   */
  async start(): Promise<void> {
    while (this.#lifecycle.state.name === "stopping") await this.#nextChange();
    this.#checkOpen();
    this.#apply({ type: "start" });
    for (;;) {
      const { state } = this.#lifecycle;
      if (state.name === "running") return;
      if (state.name === "failed" || state.name === "restarting") throw this.#startError(state.reason);
      if (state.name === "stopped") throw this.#startError("it was stopped");
      await this.#nextChange();
    }
  }

  /**
   * Stops the server, and waits until all its processes have ended. With `force`, they are killed at once; with
   * `forGood`, it cannot be started again.
   */
  async stop({ force = false, forGood = false } = {}): Promise<void> {
    if (forGood) this.#isClosed = true;
    const isStopping = this.#lifecycle.state.name === "stopping";
    this.#apply({ type: "stop" }, { force });
    if (isStopping && force) void this.#link?.close({ force });
    while (this.#lifecycle.state.name === "stopping") await this.#nextChange();
  }

  /** Pings the server if it runs. Only pings of the schedule count for a restart. */
  async ping({ scheduled = false } = {}): Promise<void> {
    const link = this.#link;
    if (link === undefined || this.#lifecycle.state.name !== "running") return;
    const timeout = new AbortController();
    const cancel = this.#options.clock.after(this.config.healthCheck.timeoutMs, () => timeout.abort());
    const answered = await link.connection.ping(timeout.signal).then(() => true, isAnswer);
    cancel();
    if (this.#link !== link) return;
    this.lastHealthCheck = this.#options.clock.now();
    this.#apply(answered ? { type: "ping answered" } : { type: "ping failed", scheduled });
  }

  /** Returns a connection that all calls share: a caller cannot close it. */
  #share(connection: McpConnection): McpConnection {
    return {
      ...connection,
      callTool: async (name, input, signal) => {
        this.calls.total++;
        const result = await connection.callTool(name, input, signal).catch((error) => {
          // A client that leaves is no failure of the server; a call that takes too long is one.
          if (!signal.aborted || signal.reason instanceof ToolError) this.calls.failed++;
          throw error;
        });
        if (result.isError) this.calls.failed++;
        await this.#lookAtProcesses();
        return result;
      },
      close: async () => {},
    };
  }

  /**
   * Notes what a call has started: a process that leaves the group of a server that then crashes is unknown otherwise.
   */
  async #lookAtProcesses(): Promise<void> {
    const now = this.#options.clock.now();
    if (now - this.#lookedAt < LOOK_INTERVAL_MS) return;
    this.#lookedAt = now;
    await this.#link?.look();
  }

  #checkOpen(): void {
    if (this.#isClosed) throw this.#startError("the gateway is shutting down");
  }

  #startError(reason: string): McpError {
    return new McpError(`Cannot start MCP server "${this.config.name}": ${reason}`);
  }

  #nextChange(): Promise<void> {
    return new Promise((resolve) => this.#waiting.add(resolve));
  }

  #apply(change: LifecycleChange, { force = false } = {}): void {
    const before = this.#lifecycle;
    const [lifecycle, actions] = next(before, { ...change, at: this.#options.clock.now() }, this.config);
    this.#lifecycle = lifecycle;
    if (lifecycle.state.name === before.state.name) {
      for (const action of actions) this.#run(action, force);
      return;
    }
    // That of the next health check, or of a restart that came earlier.
    if (before.state.name === "running" || before.state.name === "restarting") this.#cancelTimer();
    for (const action of actions) this.#run(action, force);
    if (lifecycle.state.name === "running") this.#scheduleHealthCheck();
    this.#options.onChange(this);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve();
  }

  #run(action: LifecycleAction, force: boolean): void {
    switch (action.type) {
      case "open":
        void this.#open();
        break;
      case "close":
        void this.#close(force);
        break;
      case "abandon":
        void this.#abandon(action.reason);
        break;
      case "wait":
        this.#cancelTimer = this.#options.clock.after(action.ms, () => this.#apply({ type: "restart due" }));
    }
  }

  async #open(): Promise<void> {
    const opening = new AbortController();
    this.#opening = opening;
    this.#abandonReason = undefined;
    this.log.begin();
    try {
      const link = await openServer(this.#options, opening);
      this.#link = link;
      this.lastHealthCheck = this.#options.clock.now();
      void this.#watch(link);
      this.#apply({ type: "ready" });
    } catch (error) {
      this.#apply({ type: "start failed", reason: toReason(error, this.log) });
    } finally {
      this.#opening = undefined;
    }
  }

  /** Waits for the end of a running server. Then ends what it has started. */
  async #watch(link: ServerLink): Promise<void> {
    await link.connection.closed;
    this.#closedLink = link;
    const end = await link.ended;
    await link.close({ force: true });
    if (this.#link !== link) return;
    this.#link = undefined;
    const { reason, clean } = this.#abandonReason === undefined
      ? end
      : { reason: this.#abandonReason, clean: false };
    this.#apply({ type: "ended", reason: withLog(reason, this.log), clean });
  }

  async #abandon(reason: string): Promise<void> {
    this.#abandonReason = reason;
    await this.#link?.close({ force: true });
  }

  async #close(force: boolean): Promise<void> {
    this.#opening?.abort(new McpError("it was stopped"));
    const link = this.#link;
    await link?.close({ force });
    if (link === undefined || this.#link !== link) return;
    this.#link = undefined;
    this.#apply({ type: "stopped" });
  }

  #scheduleHealthCheck(): void {
    const { enabled, intervalMs } = this.config.healthCheck;
    if (!enabled) return;
    this.#cancelTimer = this.#options.clock.after(intervalMs, async () => {
      const link = this.#link;
      await link?.look();
      await this.ping({ scheduled: true });
      if (this.#link === link && this.#lifecycle.state.name === "running") this.#scheduleHealthCheck();
    });
  }
}

/** True if a server has answered a ping with an error of the protocol: it runs. */
function isAnswer(error: unknown): boolean {
  return error instanceof McpError && error.cause instanceof ProtocolError;
}
