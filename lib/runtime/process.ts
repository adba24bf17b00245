// The part of Deno's API that is used here; undefined on other runtimes. `process` takes long to load on Deno: a start
// does without it.
declare const Deno: {
  args: string[];
  build: { os: string };
  addSignalListener(signal: string, listener: () => void): void;
  exit(status: number): never;
  env: { get(name: string): string | undefined };
  permissions: { querySync(query: { name: "env"; variable: string }): { state: string } };
} | undefined;
declare const Bun: unknown;

/**
 * True if a module is the main program, false if it was imported.
 *
 * @example Usage
 * ```ts
 * import { isMain } from "./process.ts";
 *
 * if (isMain(import.meta)) console.log("started");
 * ```
 */
export function isMain(meta: ImportMeta): boolean {
  if (typeof meta.main === "boolean") return meta.main;
  // Node before 24.2 and tsx do not set `meta.main`. The script may be a symbolic link, as npm creates for programs.
  const script = globalThis.process?.argv[1];
  if (script === undefined) return false;
  const { existsSync, realpathSync } = process.getBuiltinModule("node:fs");
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  return existsSync(script) && pathToFileURL(realpathSync(script)).href === meta.url;
}

/** Returns the command-line arguments after the program's name. */
export function readArgs(): string[] {
  return typeof Deno === "undefined" ? process.argv.slice(2) : Deno.args;
}

/** Returns the name and version of the runtime, such as `node` and `24.13.0`. */
export function describeRuntime(): { name: string; version: string } {
  const { bun, deno, node } = globalThis.process?.versions ?? {};
  if (deno !== undefined) return { name: "deno", version: deno };
  if (bun !== undefined) return { name: "bun", version: bun };
  return node === undefined ? { name: "unknown", version: "" } : { name: "node", version: node };
}

/** Returns the memory of the process in MiB; undefined on a runtime without processes. */
export function readMemoryUsage(): { rss_mb: number; heap_mb: number } | undefined {
  if (typeof globalThis.process?.memoryUsage !== "function") return undefined;
  const { rss, heapUsed } = process.memoryUsage();
  return { rss_mb: Math.round(rss / MIB), heap_mb: Math.round(heapUsed / MIB) };
}

const MIB = 1024 * 1024;

/** Returns the id of this process; 0 on a runtime without processes. */
export function readProcessId(): number {
  return globalThis.process?.pid ?? 0;
}

/** Reads one environment variable. Returns undefined if it is not set, or if Deno's permissions do not allow it. */
export function readVariable(name: string): string | undefined {
  if (typeof Deno === "undefined") return globalThis.process?.env[name];
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}

/**
 * Runs `stop` on SIGINT or SIGTERM, then exits with the given status. A second signal during `stop` exits at once, with
 * status 1. Returns the function that the signals call.
 */
export function onStop(stop: () => Promise<void>, { status = 0 }: { status?: number } = {}): () => void {
  let firstSignalAt: number | undefined;
  const onSignal = () => {
    const now = performance.now();
    if (firstSignalAt === undefined) {
      firstSignalAt = now;
      stop().then(() => exit(status));
    } else if (now - firstSignalAt > DUPLICATE_SIGNAL_MS) {
      exit(1);
    }
  };
  onProcessSignal("SIGINT", onSignal);
  onProcessSignal("SIGTERM", onSignal);
  return onSignal;
}

function onProcessSignal(signal: "SIGINT" | "SIGTERM", listener: () => void): void {
  // Deno has no SIGTERM on Windows; its `process` ignores that.
  if (typeof Deno === "undefined" || Deno.build.os === "windows") process.on(signal, listener);
  else Deno.addSignalListener(signal, listener);
}

/**
 * Calls `onSignal` on SIGHUP, which operators send to have settings read again. A terminal sends it too, when it is
 * closed: that calls `onTerminalClosed`, because the program would otherwise stay behind.
 */
export function onHangup(onSignal: () => void, onTerminalClosed: () => void): void {
  const { isatty } = process.getBuiltinModule("node:tty");
  const hasTerminal = () => [0, 1, 2].some((descriptor) => isatty(descriptor));
  const startedInTerminal = hasTerminal();
  process.on("SIGHUP", () => startedInTerminal && !hasTerminal() ? onTerminalClosed() : onSignal());
}

/**
 * Reports unhandled rejections and uncaught exceptions, and keeps the program running. Otherwise one failure would end
 * the answers to all other clients. Requests share no state that a failure could leave half changed.
 */
export function onUnhandledError(report: (failure: unknown) => void): void {
  if (typeof Deno !== "undefined") {
    globalThis.addEventListener("unhandledrejection", (event) => {
      event.preventDefault();
      report(event.reason);
    });
    globalThis.addEventListener("error", (event) => {
      event.preventDefault();
      report(event.error);
    });
    return;
  }
  // Node reports a write to an output whose reader has left. The log of that error would be such a write again,
  // without end. On Bun, the console reports none, and these streams take long to load.
  if (typeof Bun === "undefined") {
    for (const output of [process.stdout, process.stderr]) output.on("error", () => {});
  }
  process.on("unhandledRejection", report);
  process.on("uncaughtException", report);
}

/** Calls `run` when the process ends, on a runtime with processes. */
export function onExit(run: () => void): void {
  if (typeof Deno === "undefined") globalThis.process?.on?.("exit", run);
  else globalThis.addEventListener("unload", run);
}

/**
 * Returns all environment variables.
 *
 * @throws {Error} if Deno's permissions do not allow it.
 */
export function readEnvironment(): Record<string, string> {
  const entries = Object.entries(process.env);
  return Object.fromEntries(entries.flatMap(([name, value]) => value === undefined ? [] : [[name, value]]));
}

/** Sets the exit status. The program ends when no work is left. */
export function setExitCode(status: number): void {
  process.exitCode = status;
}

/** Ends the program at once. */
export function exit(status: number): never {
  if (typeof Deno !== "undefined") Deno.exit(status);
  process.exit(status);
}

// Ctrl+C signals every process of the terminal, and launchers such as tsx forward the signal once more.
const DUPLICATE_SIGNAL_MS = 500;
