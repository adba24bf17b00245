import type { McpConnection } from "../../../../tools/mcp/connection.ts";
import { createManagedServers, type ServerControl } from "../../../../tools/mcp/managed/managed_servers.ts";
import type { RestartPolicy, ServerConfig } from "../../../../tools/mcp/managed/server_config.ts";
import type { LinkEnd, OpenOptions, ServerLink } from "../../../../tools/mcp/managed/server_link.ts";
import { FakeClock } from "../../../kit/clock.ts";

/** One start of a server, whose result a test sets. */
export interface FakeStart {
  readonly options: OpenOptions;
  /** Completes the start. */
  succeed(): Promise<void>;
  fail(error: unknown): Promise<void>;
  /** Ends the running server. */
  end(end: LinkEnd): Promise<void>;
  /** True if pings are answered. */
  answers: boolean;
  /** Error with which calls and lists reject. Default: they succeed. */
  failure?: Error;
  readonly closed: boolean;
}

/** Managed servers whose starts a test controls. */
export interface FakeServers {
  readonly control: ServerControl;
  readonly clock: FakeClock;
  readonly starts: FakeStart[];
  /** States that the server `a` has had. */
  readonly states: string[];
  /** Runs callbacks of promises that have settled. */
  settle(): Promise<void>;
  /** Advances the clock. */
  advance(ms: number): Promise<void>;
}

/** Creates one server called `a`. */
export function createFakeServers(restartPolicy: RestartPolicy = "on-failure", maxRestarts = 3): FakeServers {
  const clock = new FakeClock();
  const starts: FakeStart[] = [];
  const states: string[] = [];
  const config: ServerConfig = {
    ...{ name: "a", type: "http", url: "http://a.test", headers: {}, restartPolicy, maxRestarts },
    healthCheck: { enabled: true, intervalMs: 30_000, timeoutMs: 5_000 },
  };
  const control = createManagedServers({
    configs: [config],
    client: { name: "test", version: "1" },
    inherited: {},
    maxResultChars: 1000,
    clock,
    redact: (_name, text) => text.replaceAll("secret", "[redacted]"),
    onChange: (_name, state) => states.push(state.name),
    open: (_config, options) =>
      new Promise((resolve, reject) => {
        const { link, start } = createFakeStart(options, settle);
        options.signal.addEventListener("abort", () => reject(options.signal.reason));
        starts.push(Object.assign(start, {
          succeed: () => (resolve(link), settle()),
          fail: (error: unknown) => (reject(error), settle()),
        }));
      }),
  });
  return {
    ...{ control, clock, starts, states, settle },
    advance: (ms) => (clock.advance(ms), settle()),
  };
}

function createFakeStart(options: OpenOptions, settle: () => Promise<void>) {
  let finish = (_end: LinkEnd) => {};
  const ended = new Promise<LinkEnd>((resolve) => finish = resolve);
  const start: Pick<FakeStart, "options" | "end" | "failure"> & { answers: boolean; closed: boolean } = {
    options,
    answers: true,
    closed: false,
    end: (end: LinkEnd) => (finish(end), settle()),
  };
  const orFail = async <Result>(result: Result): Promise<Result> => {
    if (start.failure !== undefined) throw start.failure;
    return result;
  };
  const connection: McpConnection = {
    listTools: () => orFail({ tools: [], rejected: [] }),
    callTool: (name) => orFail({ content: [{ type: "text", text: name }], isError: false }),
    ping: (signal) =>
      new Promise((resolve, reject) => {
        if (start.answers) resolve();
        else signal.addEventListener("abort", () => reject(signal.reason));
      }),
    closed: ended.then(() => {}),
    close: () => Promise.resolve(),
  };
  const link: ServerLink = {
    connection,
    pid: undefined,
    ended,
    look: () => Promise.resolve(),
    close: async () => {
      start.closed = true;
      finish({ reason: "closed", clean: false });
    },
  };
  return { link, start };
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 50; turn++) await Promise.resolve();
}
