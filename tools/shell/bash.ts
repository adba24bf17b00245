import * as v from "valibot";
import { ToolError } from "../errors.ts";
import type { ProgramResult } from "../host/shell.ts";
import type { ShellPolicy } from "../policy/shell.ts";
import { defineTool, type Tool } from "../tool.ts";

/** Up to this a time is taken for seconds, from there on for milliseconds: models have learned both. */
const MAX_TIMEOUT_IN_SECONDS = 600;

/** Declares the tool that runs commands; what it says of itself depends on what commands may do. */
export function createBash(policy: ShellPolicy): Tool {
  return defineTool({
    name: "Bash",
    description: describe(policy),
    group: "shell",
    aliases: { cmd: "command", stdin: "input" },
    input: v.object({
      command: v.pipe(v.string(), v.minLength(1), v.description("The command, in bash.")),
      description: v.optional(
        v.pipe(v.string(), v.description("What the command does, in a few words.")),
      ),
      timeout: v.optional(
        v.pipe(
          v.number(),
          v.gtValue(0),
          v.description(
            `How long it may run: up to ${MAX_TIMEOUT_IN_SECONDS} in seconds, above that in milliseconds. ` +
              `Default ${policy.limits.defaultSeconds} s, at most ${policy.limits.maxSeconds} s.`,
          ),
        ),
      ),
      input: v.optional(v.pipe(v.string(), v.description("What the command reads from stdin."))),
      run_in_background: v.optional(v.pipe(v.boolean(), v.description("Not possible here."))),
    }),
    async run({ command, timeout, input, run_in_background }, { shell }) {
      if (run_in_background === true) {
        throw new ToolError(
          "Cannot run the command in the background: all that a call starts ends with it. " +
            "Run it in the foreground, with a timeout that is long enough",
        );
      }
      const seconds = toSeconds(timeout ?? policy.limits.defaultSeconds);
      return formatResult(await shell.run(command, { input, seconds }), policy, seconds);
    },
  });
}

function describe({ sandbox, network, root, limits }: ShellPolicy): string {
  const sandboxNote = sandbox === "off"
    ? "It runs WITHOUT a sandbox, with the rights of the gateway itself: it can read, change and reach whatever the gateway can."
    : `It runs in a sandbox: it sees the workspace and the machine's programs, nothing else, and ${
      network ? "reaches the network" : "has no network"
    }. Only the workspace can be written, and /tmp, which is empty at each call; files that other programs trust, ` +
      "as .git/hooks, .git/config, .mcp.json, .claude and .vscode, cannot.";
  return [
    `Runs a command in bash and gives what it printed. It starts in the workspace, ${root}; ` +
    "no variable, `cd` or process outlasts the call.",
    sandboxNote,
    `Of stdout and of stderr ${limits.keptOutputChars} characters are kept, from the beginning and the end. ` +
    "Nothing can be asked for while it runs: use the flags that answer for you.",
    "To read, search and edit files use the tools made for that, if you have them.",
  ].join("\n");
}

function toSeconds(timeout: number): number {
  return timeout <= MAX_TIMEOUT_IN_SECONDS ? timeout : timeout / 1000;
}

/** What the model reads; of a command that failed it reads the same, as a failure. */
function formatResult(result: ProgramResult, { limits, sandbox }: ShellPolicy, seconds: number): string {
  const output = formatOutput(result);
  const scopeNote = sandbox === "off" ? "" : " with all that it started";
  switch (result.endedBy) {
    case "exit":
      if (result.code === 0) return output || "The command succeeded and printed nothing";
      throw new ToolError(joinParts(`Exit code ${result.code}`, output));
    case "time": {
      const limit = Math.min(seconds, limits.maxSeconds);
      throw new ToolError(
        joinParts(`The command was stopped${scopeNote} after ${limit} s, its timeout`, output),
      );
    }
    case "flood": {
      const limit = Math.floor(limits.maxOutputBytes / 2 ** 20);
      throw new ToolError(
        joinParts(`The command was stopped${scopeNote}: it printed more than ${limit} MiB`, output),
      );
    }
    case "cancel":
      throw new ToolError(joinParts(`The command was stopped${scopeNote}: the call is over`, output));
  }
}

function formatOutput({ stdout, stderr }: ProgramResult): string {
  return joinParts(
    stripControlCodes(stdout),
    stderr.trim() === "" ? "" : `stderr:\n${stripControlCodes(stderr)}`,
  );
}

/** Takes out what moves a cursor and colours text, and NUL, which not every program reads on. */
function stripControlCodes(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, "")
    .replaceAll("\0", "\ufffd").trimEnd();
}

function joinParts(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
