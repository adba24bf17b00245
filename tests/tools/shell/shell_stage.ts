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
import { createShell, type Ended, type Shell } from "../../../tools/host/shell.ts";
import { SHELL_LIMITS, SHELL_PATH, type ShellLimits, type ShellPolicy } from "../../../tools/policy/shell.ts";
import type { Host, Tool } from "../../../tools/tool.ts";
import { NO_FILES, NO_WEB } from "../../kit/no_host.ts";

/** A workspace of its own, with a folder beside it that no command may reach. */
export interface ShellStage {
  root: string;
  outside: string;
  policy: ShellPolicy;
  tool: Tool;
  /** Runs a command past the tool. */
  run(command: string, options?: { input?: string; seconds?: number; signal?: AbortSignal }): Promise<Ended>;
  /** What the tool tells the model, and whether as a failure. */
  tell(input: unknown, signal?: AbortSignal): Promise<{ text: string; failed: boolean }>;
  remove(): void;
}

/** Sets up a workspace and all that a command needs to run in it. */
export function createStage(
  { limits, ...policy }: Partial<Omit<ShellPolicy, "limits">> & { limits?: Partial<ShellLimits> } = {},
): ShellStage {
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
    readable: [],
    path: SHELL_PATH,
    environment: {},
    ...policy,
    limits: { ...SHELL_LIMITS, ...limits },
  };
  const open = createShell(whole);
  const tool = createBash(whole);
  return {
    root,
    outside,
    policy: whole,
    tool,
    run: (command, { signal = new AbortController().signal, ...options } = {}) =>
      open({ signal }).run(command, options),
    async tell(input, signal = new AbortController().signal) {
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

/** Why no command can run in a sandbox here; nothing where one can. */
export async function whyNoSandbox(): Promise<string | undefined> {
  const stage = createStage();
  try {
    await stage.run("true");
    return undefined;
  } catch (error) {
    if (error instanceof ToolError) return error.message;
    throw error;
  } finally {
    stage.remove();
  }
}

/** Which processes of the machine go by a name. */
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
    models: { complete: unused, converse: unused, search: unused },
    session: { seen: new Map(), todos: [] },
  };
}
