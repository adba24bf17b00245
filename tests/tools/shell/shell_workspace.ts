import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createBash } from "../../../tools/shell/bash.ts";
import { ToolError } from "../../../tools/errors.ts";
import { type CommandResult, createShell, type Shell, type ShellCall } from "../../../tools/host/shell.ts";
import { SHELL_LIMITS, SHELL_PATH, type ShellLimits, type ShellPolicy } from "../../../tools/policy/shell.ts";
import type { Host, Tool } from "../../../tools/tool.ts";
import { NO_FILES, NO_WEB } from "../../kit/no_host.ts";

/** A workspace for commands, beside a folder that they must not access. */
export interface ShellWorkspace {
  root: string;
  outside: string;
  policy: ShellPolicy;
  tool: Tool;
  /** Runs a command without the tool. */
  run(
    command: string,
    options?: { input?: string; seconds?: number; signal?: AbortSignal },
  ): Promise<CommandResult>;
  /** Opens the shell for a call. */
  open(call: ShellCall): Shell;
  /** Runs the tool, and returns its text, and true if it failed. */
  useTool(input: unknown, signal?: AbortSignal): Promise<{ text: string; failed: boolean }>;
  remove(): void;
}

/** Creates a workspace and a shell in it. */
export function createShellWorkspace(
  { limits, ...policy }: Partial<Omit<ShellPolicy, "limits">> & { limits?: Partial<ShellLimits> } = {},
): ShellWorkspace {
  const top = realpathSync(mkdtempSync(join(tmpdir(), "shell-")));
  const root = join(top, "work");
  const outside = join(top, "outside");
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, "canary.txt"), "canary\n");
  const whole: ShellPolicy = {
    root,
    sandbox: "required",
    network: false,
    path: SHELL_PATH,
    ...policy,
    limits: { ...SHELL_LIMITS, seconds: 120, ...limits },
  };
  const open = createShell(whole);
  const tool = createBash(whole);
  return {
    root,
    outside,
    policy: whole,
    tool,
    open,
    run: (command, { signal = new AbortController().signal, ...options } = {}) =>
      open({ signal }).run(command, options),
    async useTool(input, signal = new AbortController().signal) {
      try {
        const content = await tool.run(input, toHost(open({ signal }), signal));
        return {
          text: content.map((piece) => piece.type === "text" ? piece.text : "").join(""),
          failed: false,
        };
      } catch (error) {
        if (!(error instanceof ToolError)) throw error;
        return { text: error.message, failed: true };
      }
    },
    remove: () => rmSync(top, { recursive: true, force: true }),
  };
}

/** Returns the reason why no command can run in a sandbox on this machine, if there is one. */
export async function whyNoSandbox(): Promise<string | undefined> {
  const workspace = createShellWorkspace();
  try {
    await workspace.run("true");
    return undefined;
  } catch (error) {
    if (error instanceof ToolError) return error.message;
    throw error;
  } finally {
    workspace.remove();
  }
}

/** Returns the ids of the processes whose command line starts with this text. */
export function processesWith(mark: string): string[] {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return readFileSync(`/proc/${name}/cmdline`, "utf8").startsWith(mark);
    } catch {
      return false; // it ended meanwhile
    }
  });
}

function toHost(shell: Shell, signal: AbortSignal): Host {
  const unused = () => {
    throw new Error("the tool needs no model");
  };
  return {
    signal,
    shell,
    files: NO_FILES,
    web: NO_WEB,
    models: { complete: unused, runSubagent: unused, search: unused },
    session: { seen: new Map(), todos: [] },
  };
}
