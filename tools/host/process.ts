import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Readable } from "node:stream";
import { createHeadAndTail } from "./head_and_tail.ts";

/** A program to run. */
export interface Program {
  file: string;
  args: readonly string[];
  /** The complete environment. */
  environment: Readonly<Record<string, string>>;
  folder: string;
  /** Content of stdin, which is closed afterwards. Without it stdin is empty. */
  input?: string | undefined;
  /** True to run it in a separate process group, which is killed when the program ends. */
  processGroup: boolean;
}

/** Limits on run time and output. */
export interface ProgramLimits {
  signal: AbortSignal;
  seconds: number;
  /** Characters kept of stdout, and of stderr. */
  keptOutputChars: number;
  /** Maximum output, stdout and stderr together. */
  maxOutputBytes: number;
}

/** End and output of a program. */
export interface ProgramResult {
  /**
   * `exit` if it ended by itself. `time`, `flood` or `cancel` if it was killed because of its time limit, its output
   * limit or the signal.
   */
  endedBy: "exit" | "time" | "flood" | "cancel";
  /** Exit code, or 128 + the signal number if a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** Time to read remaining output after the program has exited. */
const GRACE_MS = 200;

/**
 * Runs a program. Kills it when it exceeds its time or output limit, or when the signal fires.
 *
 * @throws the system's error if the program cannot be started, and the abort reason if the signal fired before.
 */
export function runProgram(
  { file, args, environment, folder, input, processGroup }: Program,
  { signal, seconds, keptOutputChars, maxOutputBytes }: ProgramLimits,
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...environment },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: processGroup,
    });
    let endedBy: ProgramResult["endedBy"] = "exit";
    let outputBytes = 0;
    let graceTimer: ReturnType<typeof setTimeout> | undefined;
    const stop = (reason: ProgramResult["endedBy"]) => {
      if (endedBy === "exit") endedBy = reason;
      kill(child, processGroup);
    };
    const cancel = () => stop("cancel");
    const timer = setTimeout(() => stop("time"), seconds * 1000);
    signal.addEventListener("abort", cancel, { once: true });
    const cleanUp = () => {
      clearTimeout(timer);
      clearTimeout(graceTimer);
      signal.removeEventListener("abort", cancel);
    };
    const capture = (stream: Readable | null) => {
      const output = createHeadAndTail(keptOutputChars);
      stream?.on("data", (chunk: Uint8Array) => {
        outputBytes += chunk.length;
        if (outputBytes > maxOutputBytes) return stop("flood");
        output.add(chunk);
      });
      return output;
    };
    const stdout = capture(child.stdout);
    const stderr = capture(child.stderr);
    // The program may exit without reading stdin.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    child.on("error", (error) => {
      cleanUp();
      reject(error);
    });
    child.on("exit", () => {
      if (!processGroup) return;
      kill(child, processGroup);
      graceTimer = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, GRACE_MS);
    });
    child.on("close", (code, killSignal) => {
      cleanUp();
      resolve({ endedBy, code: exitCode(code, killSignal), stdout: stdout.text(), stderr: stderr.text() });
    });
  });
}

function kill(child: ChildProcess, processGroup: boolean): void {
  if (!processGroup || child.pid === undefined) {
    child.kill("SIGKILL");
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch (error) {
    // ESRCH: the group has already ended.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function exitCode(code: number | null, killSignal: NodeJS.Signals | null): number {
  return code ?? (killSignal === null ? 1 : 128 + constants.signals[killSignal]);
}
