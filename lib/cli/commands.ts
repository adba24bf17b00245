import type { RunCommand } from "./command.ts";

/** A command: its line in `--help`, and its module, which is loaded when the command runs. */
interface Command {
  text: string;
  load(): Promise<RunCommand>;
}

/** Commands by name, such as `init` in `mod.ts init`. To add one, add an entry. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["init", {
    text:
      "Ask three questions, and write a configuration file; --from-ccr config.json converts claude-code-router's",
    load: async () => (await import("./init.ts")).runInit,
  }],
  ["claude", {
    text: "Run Claude Code with a gateway of its own; arguments after -- are Claude Code's",
    load: async () => (await import("./claude_code/launch.ts")).runClaude,
  }],
  ["env", {
    text: "Print the variables that connect Claude Code to this gateway, for a shell to evaluate",
    load: async () => (await import("./claude_code/env.ts")).printEnv,
  }],
  ["batch", {
    text: "Answer the requests of a file: batch <file.jsonl> writes <file.jsonl>.results.jsonl",
    load: async () => (await import("./batch.ts")).runBatch,
  }],
  ["doctor", {
    text: "Check upstreams, keys, models, tools and folders, and what a request of Claude Code loses",
    load: async () => (await import("./doctor.ts")).runDoctor,
  }],
  ["replay", {
    text: "Translate a recording of RECORD_DIR again: replay <file>, or replay --fixture <file> for a test",
    load: async () => (await import("./replay.ts")).runReplay,
  }],
]);
