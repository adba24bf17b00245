import type { Settings } from "../config/settings.ts";
import type { FetchHandler } from "../runtime/serve.ts";

/** The part of a gateway that the program uses. */
export interface ReadyHandler extends FetchHandler {
  ready(): Promise<void>;
}

/** Creates the gateway that the program serves. */
export type CreateGateway = (options: { settings: Settings; host: string }) => ReadyHandler;

/**
 * Runs a command of the program with the arguments after its name, and returns the exit status.
 *
 * @throws {ConfigError} if the settings or the arguments are invalid: the program prints each mistake, and exits with 2.
 */
export type RunCommand = (args: readonly string[], createGateway: CreateGateway) => Promise<number>;

/** A command: its line in `--help`, and its module, which is loaded when the command runs. */
interface Command {
  text: string;
  load(): Promise<RunCommand>;
}

/** Commands by name, such as `init` in `mod.ts init`. To add one, add an entry. */
export const COMMANDS: ReadonlyMap<string, Command> = new Map<string, Command>([
  ["env", {
    text: "Print the variables that connect Claude Code to this gateway, for a shell to evaluate",
    load: async () => (await import("./claude_code/env.ts")).printEnv,
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
