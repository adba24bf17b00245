import { launch, type Program } from "../runtimes/launch.ts";

/** Starts the program on the runtime that runs the test. */
export function launchHere(args: string[], settings: Record<string, string> = {}): Program {
  const { bun, deno } = process.versions;
  const options = bun !== undefined
    ? ["run"]
    : deno !== undefined
    ? ["run", "--no-prompt", "--allow-all"]
    : ["--import", "tsx"];
  const command = [process.execPath, ...options, "mod.ts"];
  return launch({ name: "own runtime", command, readsEnv: true, missing: false }, args, settings);
}
