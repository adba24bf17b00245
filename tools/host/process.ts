import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Readable } from "node:stream";
import { createHeadAndTail } from "./head_and_tail.ts";

/** A program to run to its end. */
export interface Program {
  file: string;
  args: readonly string[];
  /** All that the program finds in its environment. */
  environment: Readonly<Record<string, string>>;
  folder: string;
  /** What it reads from stdin, which is closed after it; without any it is closed at once. */
  input?: string | undefined;
  /** Whether what it started may outlive it, so that its process group is ended with it. */
  processGroup: boolean;
}

/** How long a program may run and how much it may say. */
export interface ProgramLimits {
  signal: AbortSignal;
  seconds: number;
  keptOutputChars: number;
  maxOutputBytes: number;
}

/** How a program ended, and what it said. */
export interface ProgramResult {
  /** `exit` by itself; `time`, `flood` and `cancel` by us. */
  endedBy: "exit" | "time" | "flood" | "cancel";
  /** What it exited with; 128 and the signal's number where a signal ended it. */
  code: number;
  stdout: string;
  stderr: string;
}

/** After a program's end, how long what it left behind may still say something. */
const GRACE_MS = 200;

/**
 * Runs a program, and ends it at once when its time is up, when the call is over or when its output floods.
 *
 * @throws the error of the system if it cannot be started.
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
    // A program need not read what it is given.
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
    // The group has ended already.
    if (!(error instanceof Error && "code" in error && error.code === "ESRCH")) throw error;
  }
}

function exitCode(code: number | null, killSignal: NodeJS.Signals | null): number {
  return code ?? (killSignal === null ? 1 : 128 + constants.signals[killSignal]);
}
