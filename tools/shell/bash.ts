import * as v from "valibot";
import { ToolError } from "../errors.ts";
import type { CommandResult } from "../host/shell.ts";
import type { ShellPolicy } from "../policy/shell.ts";
import { defineTool, type Tool } from "../tool.ts";

/** Maximum timeout that is read as seconds. A larger one is read as milliseconds: models use both units. */
const MAX_TIMEOUT_IN_SECONDS = 600;

/** Declares the tool that runs commands. Its description depends on what the policy allows commands to do. */
export function createBash(policy: ShellPolicy): Tool {
  return defineTool({
    name: "Bash",
    description: describe(policy),
    group: "shell",
    hints: {
      readOnly: false,
      destructive: true,
      idempotent: false,
      openWorld: policy.network || policy.sandbox === "off",
    },
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
            `Maximum run time: up to ${MAX_TIMEOUT_IN_SECONDS} in seconds, above that in milliseconds. ` +
              `Default and maximum: ${policy.limits.seconds} s.`,
          ),
        ),
      ),
      input: v.optional(v.pipe(v.string(), v.description("The stdin of the command."))),
      run_in_background: v.optional(v.pipe(v.boolean(), v.description("Not supported."))),
    }),
    async run({ command, timeout, input, run_in_background }, { shell }) {
      if (run_in_background === true) {
        throw new ToolError(
          "Cannot run the command in the background: all processes of a call end with the call. " +
            "Run it in the foreground, with a timeout that is long enough",
        );
      }
      const seconds = toSeconds(timeout ?? policy.limits.seconds);
      return formatResult(await shell.run(command, { input, seconds }), policy, seconds);
    },
  });
}

function describe({ sandbox, network, root, limits }: ShellPolicy): string {
  const sandboxNote = sandbox === "off"
    ? "It runs WITHOUT a sandbox, with the rights of the gateway itself: it can read, change and reach everything that the gateway can."
    : `It runs in a sandbox: it can read only the workspace and the machine's programs, and ${
      network ? "can reach the network" : "has no network"
    }. It can write only to the workspace and to /tmp, which is empty at each call. It cannot write files that other ` +
      "programs trust, such as .git/hooks, .git/config, .mcp.json, .claude and .vscode; new ones are renamed when it ends.";
  return [
    `Runs a command in bash and returns its output. It starts in the workspace, ${root}; ` +
    "variables, the effect of `cd` and processes end with the call.",
    sandboxNote,
    `At most ${limits.keptOutputChars} characters of stdout, and as many of stderr, are kept, from the beginning and ` +
    "the end. The command cannot ask for input while it runs: use its flags for non-interactive use.",
    "To read, search and edit files, use the tools made for that, if you have them.",
  ].join("\n");
}

function toSeconds(timeout: number): number {
  return timeout <= MAX_TIMEOUT_IN_SECONDS ? timeout : timeout / 1000;
}

/**
 * Returns the output for the model.
 *
 * @throws {ToolError} with the reason and the same output, if the command failed or was stopped.
 */
function formatResult(result: CommandResult, { limits, sandbox }: ShellPolicy, seconds: number): string {
  const output = formatOutput(result);
  const stopped = sandbox === "off"
    ? "The command was stopped"
    : "The command and all its processes were stopped";
  switch (result.endedBy) {
    case "exit":
      if (result.code === 0) return output || "The command succeeded and printed nothing";
      throw new ToolError(joinParts(`Exit code ${result.code}`, output));
    case "time": {
      const limit = Math.min(seconds, limits.seconds);
      throw new ToolError(joinParts(`${stopped} after its timeout of ${limit} s`, output));
    }
    case "flood": {
      const limit = Math.floor(limits.maxOutputBytes / 2 ** 20);
      throw new ToolError(joinParts(`${stopped}: it printed more than ${limit} MiB`, output));
    }
    case "cancel":
      throw new ToolError(joinParts(`${stopped}: the call ended`, output));
  }
}

function formatOutput({ stdout, stderr, setAside }: CommandResult): string {
  return joinParts(
    stripControlCodes(stdout),
    stderr.trim() === "" ? "" : `stderr:\n${stripControlCodes(stderr)}`,
    formatSetAside(setAside),
  );
}

/** Maximum number of files named in a result. */
const MAX_NAMED_FILES = 20;

function formatSetAside(files: CommandResult["setAside"]): string {
  if (files.length === 0) return "";
  const named = files.slice(0, MAX_NAMED_FILES).map(({ path, newName }) =>
    newName === undefined
      ? `${JSON.stringify(path)} could not be renamed`
      : `${JSON.stringify(path)} is now called ${JSON.stringify(newName)}`
  );
  const more = files.length > named.length ? [`and ${files.length - named.length} more`] : [];
  return [
    "The gateway has set aside files that the command created or changed, because other programs execute or obey them:",
    ...named,
    ...more,
  ].join("\n");
}

/** Removes terminal escape sequences. Replaces NUL by U+FFFD, because some programs stop reading at a NUL. */
function stripControlCodes(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g, "")
    .replaceAll("\0", "\ufffd").trimEnd();
}

function joinParts(...parts: string[]): string {
  return parts.filter((part) => part !== "").join("\n\n");
}
