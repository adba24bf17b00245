import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { McpError } from "../../errors.ts";
import { readProcessTable } from "./process_table.ts";
import { ProcessTree } from "./process_tree.ts";
import type { StdioServer } from "./server_config.ts";

/** The process of a server. */
export interface Child {
  readonly pid: number;
  readonly stdin: ChildProcessWithoutNullStreams["stdin"];
  readonly stdout: ChildProcessWithoutNullStreams["stdout"];
  /** Resolves when stderr has ended. Processes that the server has started may keep it open. */
  readonly stderrEnded: Promise<void>;
  /** Resolves when the process has ended. Processes that it has started may still run. */
  readonly exited: Promise<ChildExit>;
  /** Looks at the processes that the server has started, so that {@linkcode end} finds them later. */
  look(): Promise<void>;
  /**
   * Ends the process and all that it has started: closes stdin, then sends SIGTERM, then SIGKILL. With `force`, sends
   * SIGKILL at once. Returns the number of processes that still run, such as those of other users. Never rejects.
   */
  end(options?: { force?: boolean }): Promise<number>;
}

/** How a process has ended. */
export interface ChildExit {
  code: number | null;
  signal: string | null;
}

/**
 * Time between two steps of the end of a process, in milliseconds.
 *
 * Source: https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#shutdown
 */
const GRACES = { stdin: 2000, sigterm: 3000 };
/**
 * Rounds of SIGKILL, and the time between two: a killed process takes a moment to disappear, and may just have started
 * another.
 */
const KILL_ROUNDS = 40;
const KILL_WAIT_MS = 25;

/** Options of {@linkcode startChild}. */
export interface ChildOptions {
  /** Variables that the process receives beside its own. */
  inherited: Readonly<Record<string, string>>;
  /** Called with what the process writes to stderr. */
  onStderr(bytes: Uint8Array): void;
  /** Replaced in tests. */
  graces?: typeof GRACES;
}

/**
 * Starts a server's process, in its own process group.
 *
 * @throws {McpError} if it cannot be started.
 */
export async function startChild(
  { command, args, env, cwd }: StdioServer,
  { inherited, onStderr, graces = GRACES }: ChildOptions,
): Promise<Child> {
  let child: ChildProcessWithoutNullStreams;
  let stderrEnded: Promise<void>;
  try {
    child = spawn(command, [...args], {
      cwd,
      env: { ...inherited, ...env },
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    // At once: what a process has written is dropped when it ends before there is a listener.
    child.stderr.on("data", onStderr).on("error", () => {});
    stderrEnded = new Promise((resolve) => child.stderr.on("close", resolve).on("end", resolve));
    await new Promise<void>((resolve, reject) => {
      child.once("error", reject);
      child.once("spawn", resolve);
    });
  } catch (error) {
    throw new McpError(toSpawnReason(error, cwd), { cause: error });
  }
  const { pid, stdin, stdout, stderr } = child;
  if (pid === undefined) throw new McpError("its command could not be started");
  child.on("error", () => {}); // a failed signal; the exit is reported by its own event
  const exited = new Promise<ChildExit>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) {
      resolve({ code: child.exitCode, signal: child.signalCode });
    }
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
  const forget = killAtExit(child);

  const tree = new ProcessTree(pid, process.pid);
  const members = async (stdio = true) => tree.update(await readProcessTable({ stdio }) ?? []);
  await members();

  async function end(force: boolean): Promise<number> {
    await members();
    if (!force) {
      stdin.end();
      if (!await endsWithin(exited, graces.stdin)) {
        await members();
        signalGroup(child, "SIGTERM");
        await endsWithin(exited, graces.sigterm);
      }
    }
    let left = await members();
    for (let round = 0; round < KILL_ROUNDS; round++) {
      const hasExited = await endsWithin(exited, 0);
      signalGroup(child, "SIGKILL");
      for (const id of left) signalProcess(id);
      if (hasExited && left.length === 0) break;
      await setTimeout(KILL_WAIT_MS);
      left = await members();
    }
    forget();
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
    return left.length;
  }

  let ending: Promise<number> | undefined;
  return {
    pid,
    stdin,
    stdout,
    stderrEnded,
    exited,
    look: async () => void await members(false),
    async end({ force = false } = {}) {
      // A second request that forces the end does not wait for the steps of the first.
      if (force && ending !== undefined) signalGroup(child, "SIGKILL");
      return await (ending ??= end(force));
    },
  };
}

/** Processes that are killed when the gateway exits without ending them. */
const running = new Set<ChildProcessWithoutNullStreams>();
let listens = false;

function killAtExit(child: ChildProcessWithoutNullStreams): () => void {
  if (!listens) {
    process.on("exit", () => {
      for (const other of running) signalGroup(other, "SIGKILL");
    });
  }
  listens = true;
  running.add(child);
  return () => void running.delete(child);
}

/** Sends a signal to the process group. Deno allows that only with an unlimited `--allow-run`. */
function signalGroup(child: ChildProcessWithoutNullStreams, signal: "SIGTERM" | "SIGKILL"): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (errorCode(error) !== "ESRCH") child.kill(signal);
  }
}

function signalProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It has ended meanwhile, or runs as another user.
  }
}

async function endsWithin(exited: Promise<unknown>, ms: number): Promise<boolean> {
  const timer = new AbortController();
  const timedOut = setTimeout(ms, false, { signal: timer.signal }).catch(() => false);
  const ended = await Promise.race([exited.then(() => true), timedOut]);
  timer.abort();
  return ended;
}

function toSpawnReason(error: unknown, cwd: string | undefined): string {
  switch (errorCode(error)) {
    case "ENOENT":
      return cwd === undefined
        ? "its command was not found in PATH"
        : "its command was not found in PATH, or its folder `cwd` does not exist";
    case "EACCES":
      return "its command may not be executed";
  }
  return error instanceof Error && /NotCapable|PermissionDenied/.test(error.name)
    ? "Deno was started without --allow-run"
    : "its command could not be started";
}

function errorCode(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
