import { launch, OWN_PROGRAMS, type Program } from "../runtimes/launch.ts";

/** Starts the program on the runtime that runs the test, on Deno with all permissions. */
export function launchHere(args: string[], settings: Record<string, string> = {}): Program {
  const [own] = OWN_PROGRAMS;
  if (own === undefined) throw new Error("Cannot start the program: its runtime is unknown");
  const command = own.command.map((word) => word === "--allow-net" ? "--allow-all" : word);
  return launch({ ...own, command, readsEnv: true }, args, settings);
}
