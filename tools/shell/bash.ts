import * as v from "valibot";
import { ToolError } from "../errors.ts";
import type { Ended } from "../host/shell.ts";
import type { ShellPolicy } from "../policy/shell.ts";
import { defineTool, type Tool } from "../tool.ts";

/** Up to this a time is taken for seconds, from there on for milliseconds: models have learned both. */
const SECONDS_UP_TO = 600;

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
            `How long it may run: up to ${SECONDS_UP_TO} in seconds, above that in milliseconds. ` +
              `Default ${policy.limits.seconds} s, at most ${policy.limits.maxSeconds} s.`,
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
      const seconds = toSeconds(timeout ?? policy.limits.seconds);
      return toText(await shell.run(command, { input, seconds }), policy, seconds);
    },
  });
}

function describe({ sandbox, network, root, limits }: ShellPolicy): string {
  const where = sandbox === "off"
    ? "It runs WITHOUT a sandbox, with the rights of the gateway itself: it can read, change and reach whatever the gateway can."
    : `It runs in a sandbox: it sees the workspace and the machine's programs, nothing else, and ${
      network ? "reaches the network" : "has no network"
    }. Only the workspace can be written, and /tmp, which is empty at each call; files that other programs trust, ` +
      "as .git/hooks, .git/config, .mcp.json, .claude and .vscode, cannot.";
  return [
    `Runs a command in bash and gives what it printed. It starts in the workspace, ${root}; ` +
    "no variable, `cd` or process outlasts the call.",
    where,
    `Of stdout and of stderr ${limits.keptCharacters} characters are kept, from the beginning and the end. ` +
    "Nothing can be asked for while it runs: use the flags that answer for you.",
    "To read, search and edit files use the tools made for that, if you have them.",
  ].join("\n");
}

function toSeconds(timeout: number): number {
  return timeout <= SECONDS_UP_TO ? timeout : timeout / 1000;
}

/** What the model reads; of a command that failed it reads the same, as a failure. */
function toText(ended: Ended, { limits, sandbox }: ShellPolicy, seconds: number): string {
  const output = toOutput(ended);
  const effects = sandbox === "off" ? "" : " with all that it started";
  switch (ended.by) {
    case "exit":
      if (ended.code === 0) return output || "The command succeeded and printed nothing";
      throw new ToolError(join(`Exit code ${ended.code}`, output));
    case "time": {
      const limit = Math.min(seconds, limits.maxSeconds);
      throw new ToolError(join(`The command was stopped${effects} after ${limit} s, its timeout`, output));
    }
    case "flood": {
      const limit = Math.floor(limits.floodBytes / 2 ** 20);
      throw new ToolError(
        join(`The command was stopped${effects}: it printed more than ${limit} MiB`, output),
      );
    }
    case "cancel":
      throw new ToolError(join(`The command was stopped${effects}: the call is over`, output));
  }
}

function toOutput({ stdout, stderr }: Ended): string {
  return join(clean(stdout), stderr.trim() === "" ? "" : `stderr:\n${clean(stderr)}`);
}

/** Takes out what moves a cursor and colours text, and NUL, which not every program reads on. */
function clean(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, "")
    .replaceAll("\0", "\ufffd").trimEnd();
}

function join(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
