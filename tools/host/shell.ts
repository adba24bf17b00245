import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { ToolError } from "../errors.ts";
import { sandboxArguments } from "../policy/sandbox.ts";
import { shellEnvironment, type ShellPolicy } from "../policy/shell.ts";
import { createSyscallFilter } from "../policy/syscalls.ts";
import { type Program, type ProgramResult, runProgram } from "./process.ts";
import { createMountProtection } from "./protected_mounts.ts";

export type { ProgramResult } from "./process.ts";

/** Commands, inside a sandbox of the operating system. */
export interface Shell {
  /**
   * Runs a command of bash in the workspace, and ends all that it started before it answers.
   *
   * @throws {ToolError} if there is no sandbox, or no way to start the command.
   */
  run(command: string, options?: { input?: string | undefined; seconds?: number }): Promise<ProgramResult>;
}

/** What a single argument of a program may be long, in bytes (`MAX_ARG_STRLEN`), less some room. */
const MAX_ARGUMENT_BYTES = 128_000;

/**
 * How long the processes of a sandbox that we ended are given to be gone. One that ends by itself waits for them;
 * of one that was killed we see the end as it begins, and what it holds fast must not be let go before.
 */
const KILL_WAIT_MS = 100;

/** Opens the shell of a workspace, for one call after the other. Whether there is a sandbox is tried until there is. */
export function createShell(policy: ShellPolicy): (call: { signal: AbortSignal }) => Shell {
  const protect = createMountProtection(policy.root);
  let sandboxFilter: Promise<Uint8Array> | undefined;

  /** A machine that was put right meanwhile is not refused for what it was. */
  function getSandboxFilter(): Promise<Uint8Array> {
    // A machine that is very busy may refuse once what it allows.
    return sandboxFilter ??= probeSandbox(policy).catch(() => probeSandbox(policy)).catch(
      (error: unknown) => {
        sandboxFilter = undefined;
        throw error;
      },
    );
  }

  return ({ signal }) => ({
    async run(command, { input, seconds = policy.limits.defaultSeconds } = {}) {
      if (command.includes("\0")) throw new ToolError("Cannot run the command: it holds a NUL character");
      if (new TextEncoder().encode(command).length > MAX_ARGUMENT_BYTES) {
        throw new ToolError(
          `Cannot run the command: it is longer than ${MAX_ARGUMENT_BYTES} bytes; write a script to a file and run that`,
        );
      }
      const limits = { ...policy.limits, signal, seconds: Math.min(seconds, policy.limits.maxSeconds) };
      if (policy.sandbox === "off") return startProgram({ ...plainProgram(command, policy), input }, limits);

      const filter = await getSandboxFilter();
      const { release, ...mounts } = await protect();
      try {
        const result = await startProgram(
          { ...bwrapProgram(sandboxArguments(command, policy, { ...mounts, filter }), policy), input },
          limits,
        );
        if (result.endedBy !== "exit") await setTimeout(KILL_WAIT_MS);
        return result;
      } finally {
        await release();
      }
    },
  });
}

async function startProgram(...[program, limits]: Parameters<typeof runProgram>): Promise<ProgramResult> {
  try {
    return await runProgram(program, limits);
  } catch (cause) {
    if (limits.signal.aborted) throw new ToolError("The command did not start: the call ended", { cause });
    throw new ToolError("Cannot run the command: the machine could not start it", { cause });
  }
}

function bwrapProgram(args: string[], { path }: ShellPolicy): Program {
  return { file: "bwrap", args, environment: { PATH: path }, folder: "/", processGroup: false };
}

function plainProgram(command: string, policy: ShellPolicy): Program {
  const environment = shellEnvironment(policy, policy.root);
  return { file: "bash", args: ["-c", command], environment, folder: policy.root, processGroup: true };
}

/** Gives the filter of system calls if a command can run in the sandbox, by running one. */
async function probeSandbox(policy: ShellPolicy): Promise<Uint8Array> {
  const filter = createSyscallFilter(process.arch, policy);
  if (process.platform !== "linux" || filter === undefined) {
    throw new ToolError(
      `Cannot run commands: there is no sandbox for ${process.platform} on ${process.arch}; ` +
        "the owner of the gateway has to run it on Linux, on x64 or arm64",
    );
  }
  if (policy.root === "/") {
    throw new ToolError("Cannot run commands: the workspace is the whole machine, which no sandbox can hold");
  }
  const args = sandboxArguments("echo ready", policy, { readOnly: [], fixed: [], filter });
  const limits = { ...policy.limits, signal: new AbortController().signal, seconds: 30 };
  let result: ProgramResult;
  try {
    result = await runProgram(bwrapProgram(args, policy), limits);
  } catch (cause) {
    throw new ToolError(
      "Cannot run commands: the sandbox is missing; the owner of the gateway has to install bubblewrap 0.8 or newer",
      { cause },
    );
  }
  if (result.code !== 0 || result.stdout !== "ready\n") {
    throw new ToolError(
      "Cannot run commands: this machine refuses the sandbox; the owner of the gateway has to allow user namespaces " +
        "and to have bubblewrap 0.8 or newer",
      { cause: new Error(result.stderr) },
    );
  }
  return filter;
}
