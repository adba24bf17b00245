import { type ChildProcess, spawn } from "node:child_process";
import { constants } from "node:os";
import process from "node:process";
import type { Readable } from "node:stream";
import { createExcerpt } from "./head_and_tail.ts";

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
  group: boolean;
}

/** How long a program may run and how much it may say. */
export interface ProgramLimits {
  signal: AbortSignal;
  seconds: number;
  keptCharacters: number;
  floodBytes: number;
}

/** How a program ended, and what it said. */
export interface Ended {
  /** `exit` by itself; `time`, `flood` and `cancel` by us. */
  by: "exit" | "time" | "flood" | "cancel";
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
  { file, args, environment, folder, input, group }: Program,
  { signal, seconds, keptCharacters, floodBytes }: ProgramLimits,
): Promise<Ended> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const child = spawn(file, args, {
      cwd: folder,
      env: { ...environment },
      stdio: [input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
      detached: group,
    });
    let by: Ended["by"] = "exit";
    let said = 0;
    let grace: ReturnType<typeof setTimeout> | undefined;
    const end = (why: Ended["by"]) => {
      if (by === "exit") by = why;
      kill(child, group);
    };
    const cancel = () => end("cancel");
    const timer = setTimeout(() => end("time"), seconds * 1000);
    signal.addEventListener("abort", cancel, { once: true });
    const settle = () => {
      clearTimeout(timer);
      clearTimeout(grace);
      signal.removeEventListener("abort", cancel);
    };
    const keep = (stream: Readable | null) => {
      const excerpt = createExcerpt(keptCharacters);
      stream?.on("data", (chunk: Uint8Array) => {
        said += chunk.length;
        if (said > floodBytes) return end("flood");
        excerpt.add(chunk);
      });
      return excerpt;
    };
    const stdout = keep(child.stdout);
    const stderr = keep(child.stderr);
    // A program need not read what it is given.
    child.stdin?.on("error", () => {});
    child.stdin?.end(input);
    child.on("error", (error) => {
      settle();
      reject(error);
    });
    child.on("exit", () => {
      if (!group) return;
      kill(child, group);
      grace = setTimeout(() => {
        child.stdout?.destroy();
        child.stderr?.destroy();
      }, GRACE_MS);
    });
    child.on("close", (code, ending) => {
      settle();
      resolve({ by, code: toCode(code, ending), stdout: stdout.text(), stderr: stderr.text() });
    });
  });
}

function kill(child: ChildProcess, group: boolean): void {
  if (!group || child.pid === undefined) {
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

function toCode(code: number | null, ending: NodeJS.Signals | null): number {
  return code ?? (ending === null ? 1 : 128 + constants.signals[ending]);
}
