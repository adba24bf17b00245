// What only Deno has, as far as it is used here; elsewhere there is no such global.
declare const Deno: {
  env: { get(name: string): string | undefined };
  permissions: { querySync(query: { name: "env"; variable: string }): { state: string } };
} | undefined;

/**
 * Tells whether a module is the program that was run, rather than imported.
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
  // Node before 24.2 does not say, nor does tsx. What was run may be a link, as npm makes for programs.
  const script = globalThis.process?.argv[1];
  if (script === undefined) return false;
  const { existsSync, realpathSync } = process.getBuiltinModule("node:fs");
  const { pathToFileURL } = process.getBuiltinModule("node:url");
  return existsSync(script) && pathToFileURL(realpathSync(script)).href === meta.url;
}

/** The words of the command line behind the program's name. */
export function readArgs(): string[] {
  return process.argv.slice(2);
}

/**
 * Reads variables of the environment, only those that may be read, without asking. Empty ones are not set, but for those
 * that are to be had `keepEmpty`.
 */
export function readEnv<Name extends string>(
  names: readonly Name[],
  { keepEmpty = [] }: { keepEmpty?: readonly Name[] } = {},
): Partial<Record<Name, string>> {
  const env: Partial<Record<Name, string>> = {};
  for (const name of names) {
    const value = readVariable(name);
    if (value || (value === "" && keepEmpty.includes(name))) env[name] = value;
  }
  return env;
}

/**
 * Runs `stop` when the program is asked to end, then ends it with status 0. Being asked again while that lasts
 * ends it at once, with status 1.
 */
export function onStop(stop: () => Promise<void>): void {
  let firstSignalAt: number | undefined;
  const onSignal = () => {
    const now = performance.now();
    if (firstSignalAt === undefined) {
      firstSignalAt = now;
      stop().then(() => process.exit(0));
    } else if (now - firstSignalAt > DUPLICATE_SIGNAL_MS) {
      process.exit(1);
    }
  };
  process.on("SIGINT", onSignal);
  process.on("SIGTERM", onSignal);
}

/**
 * Tells of failures that nobody waits for, in promises and in callbacks; without this they would end the program, and
 * with it the answers to all other clients. No state is shared by requests that a failure could leave half changed.
 */
export function onUnhandledError(report: (failure: unknown) => void): void {
  process.on("unhandledRejection", report);
  process.on("uncaughtException", report);
}

/** Lets the program end by itself, with this status. */
export function setExitCode(status: number): void {
  process.exitCode = status;
}

// Ctrl+C reaches every process of the terminal, and launchers such as tsx send it on to us once more.
const DUPLICATE_SIGNAL_MS = 500;

function readVariable(name: string): string | undefined {
  if (typeof Deno === "undefined") return globalThis.process?.env[name];
  const { state } = Deno.permissions.querySync({ name: "env", variable: name });
  return state === "granted" ? Deno.env.get(name) : undefined;
}
