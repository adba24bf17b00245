import process from "node:process";
import { setTimeout } from "node:timers/promises";
import { ToolError } from "../errors.ts";
import { sandboxArguments } from "../policy/sandbox.ts";
import { shellEnvironment, type ShellPolicy } from "../policy/shell.ts";
import { createSyscallFilter } from "../policy/syscalls.ts";
import { type Program, type ProgramResult, runProgram } from "./process.ts";
import { type CommandCgroup, findCgroup } from "./cgroup.ts";
import { createWorkspaceGuard, type SetAsideFile } from "./protection/guard.ts";

export type { ProgramResult } from "./process.ts";
export type { SetAsideFile } from "./protection/guard.ts";

/** Runs commands in a sandbox of the operating system. */
export interface Shell {
  /**
   * Runs a bash command in the workspace. All processes that it started are killed before the promise settles.
   *
   * @throws {ToolError} if the sandbox is not available, or the command cannot be started.
   */
  run(command: string, options?: { input?: string | undefined; seconds?: number }): Promise<CommandResult>;
}

/** End, output and effects of a command. */
export interface CommandResult extends ProgramResult {
  /** Protected files that the command has created or changed. They were renamed. */
  setAside: readonly SetAsideFile[];
}

/** The call that runs commands. */
export interface ShellCall {
  signal: AbortSignal;
  /** Called with the files of a command that were set aside, also if nothing waits for the command any more. */
  onSetAside?(files: readonly SetAsideFile[]): void;
}

/** Maximum length of one program argument: the kernel's `MAX_ARG_STRLEN` (131,072) with a margin. */
const MAX_ARGUMENT_BYTES = 128_000;

/**
 * Time for the processes of a killed sandbox to disappear. A sandbox that ends by itself waits for its processes. The
 * exit of a killed one is reported before they are gone, and its protected mounts must not be released until then.
 */
const KILL_WAIT_MS = 100;

/** Creates the shell of a workspace. Each call probes for the sandbox until one is found. */
export function createShell(
  policy: ShellPolicy,
  { cgroups = findCgroup }: { cgroups?: typeof findCgroup } = {},
): (call: ShellCall) => Shell {
  const protect = createWorkspaceGuard(policy.root);
  let cgroup: ReturnType<typeof findCgroup> | undefined;
  let sandboxFilter: Promise<Uint8Array> | undefined;

  /** Returns the filter of system calls once the sandbox works. Failures are not cached: the operator may fix them. */
  function getSandboxFilter(): Promise<Uint8Array> {
    // A second attempt, because a probe may fail on a busy machine.
    return sandboxFilter ??= probeSandbox(policy).catch(() => probeSandbox(policy)).catch(
      (error: unknown) => {
        sandboxFilter = undefined;
        throw error;
      },
    );
  }

  return ({ signal, onSetAside }) => ({
    async run(command, { input, seconds = policy.limits.seconds } = {}) {
      if (command.includes("\0")) throw new ToolError("Cannot run the command: it contains a NUL character");
      if (new TextEncoder().encode(command).length > MAX_ARGUMENT_BYTES) {
        throw new ToolError(
          `Cannot run the command: it is longer than ${MAX_ARGUMENT_BYTES} bytes; write a script to a file and run it`,
        );
      }
      const limits = { ...policy.limits, signal, seconds: Math.min(seconds, policy.limits.seconds) };
      if (policy.sandbox === "off") {
        return { ...await startProgram({ ...plainProgram(command, policy), input }, limits), setAside: [] };
      }

      const filter = await getSandboxFilter();
      cgroup ??= cgroups(policy.limits);
      const { check, release, ...mounts } = await protect();
      let group: CommandCgroup | undefined;
      try {
        group = await (await cgroup)?.();
        const result = await startProgram(
          {
            ...joinCgroup(
              bwrapProgram(sandboxArguments(command, policy, { ...mounts, filter }), policy),
              group,
            ),
            input,
          },
          limits,
        );
        if (result.endedBy !== "exit") await setTimeout(KILL_WAIT_MS);
        const setAside = await check();
        if (setAside.length > 0) onSetAside?.(setAside);
        return { ...result, setAside };
      } finally {
        await release();
        await group?.remove();
      }
    },
  });
}

async function startProgram(...[program, limits]: Parameters<typeof runProgram>): Promise<ProgramResult> {
  try {
    return await runProgram(program, limits);
  } catch (cause) {
    if (limits.signal.aborted) {
      throw new ToolError("Cannot run the command: the call was cancelled", { cause });
    }
    throw new ToolError("Cannot run the command: the process could not be started", { cause });
  }
}

function bwrapProgram(args: string[], { path }: ShellPolicy): Program {
  return { file: "bwrap", args, environment: { PATH: path }, folder: "/", processGroup: false };
}

/** Lets a program join a control group before it starts. It does not start if it cannot join. */
function joinCgroup(program: Program, group: CommandCgroup | undefined): Program {
  if (group === undefined) return program;
  const script = 'echo "$$" >"$0" && exec "$@"';
  return { ...program, file: "bash", args: ["-c", script, group.procs, program.file, ...program.args] };
}

function plainProgram(command: string, policy: ShellPolicy): Program {
  const environment = shellEnvironment(policy, policy.root);
  return { file: "bash", args: ["-c", command], environment, folder: policy.root, processGroup: true };
}

/** Runs a test command in the sandbox, and returns the system call filter if it succeeds. */
async function probeSandbox(policy: ShellPolicy): Promise<Uint8Array> {
  const filter = createSyscallFilter(process.arch, policy);
  if (process.platform !== "linux" || filter === undefined) {
    throw new ToolError(
      `Cannot run commands: no sandbox is available for ${process.platform} on ${process.arch}; ` +
        "the operator must run the gateway on Linux, on x64 or arm64",
    );
  }
  if (policy.root === "/") {
    throw new ToolError(
      "Cannot run commands: the workspace is the root of the file system, which cannot be sandboxed",
    );
  }
  const args = sandboxArguments("echo ready", policy, { readOnly: [], fixed: [], filter });
  const limits = { ...policy.limits, signal: new AbortController().signal, seconds: 30 };
  let result: ProgramResult;
  try {
    result = await runProgram(bwrapProgram(args, policy), limits);
  } catch (cause) {
    throw new ToolError(
      "Cannot run commands: the sandbox could not be started; the operator must install bubblewrap 0.8 or newer",
      { cause },
    );
  }
  if (result.code !== 0 || result.stdout !== "ready\n") {
    throw new ToolError(
      "Cannot run commands: the sandbox does not work on this machine; the operator must allow user namespaces " +
        "and install bubblewrap 0.8 or newer",
      { cause: new Error(result.stderr) },
    );
  }
  return filter;
}
