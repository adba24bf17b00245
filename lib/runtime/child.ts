/** Thrown if a program cannot be started; `missing` is true if there is none of its name on the `PATH`. */
export class StartError extends Error {
  override name = "StartError";
  readonly missing: boolean;

  constructor(cause: Error) {
    super("code" in cause ? String(cause.code) : cause.message, { cause });
    this.missing = "code" in cause && cause.code === "ENOENT";
  }
}

/**
 * Runs a program in this terminal with an environment, and returns its exit status; 128 plus the signal's number if a
 * signal ended it. Signals that this process receives meanwhile go to the program.
 *
 * @throws {StartError} if the program cannot be started.
 */
export async function runChild(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<number> {
  const { spawn } = process.getBuiltinModule("node:child_process");
  const { constants } = process.getBuiltinModule("node:os");
  const child = spawn(command, [...args], { env: { ...env }, stdio: "inherit" });
  const forward = (signal: NodeJS.Signals) => {
    // A terminal sends SIGINT to both processes.
    const sentToBoth = signal === "SIGINT" && process.stdin.isTTY === true;
    // Deno reports a child that `child.kill()` was called for as killed, whatever its status is.
    if (!sentToBoth && child.pid !== undefined) process.kill(child.pid, signal);
  };
  for (const signal of FORWARDED) process.on(signal, forward);
  try {
    return await new Promise<number>((resolve, reject) => {
      child.on("error", (error) => reject(new StartError(error)));
      child.on(
        "close",
        (status, signal) => resolve(status ?? 128 + (signal ? constants.signals[signal] : 0)),
      );
    });
  } finally {
    for (const signal of FORWARDED) process.off(signal, forward);
  }
}

const FORWARDED = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"] as const;
