import type { ChildProcess } from "node:child_process";

/** Kills a child, or with `group` all that it has started too, when this process ends for whatever reason. */
export function killAtExit(child: ChildProcess, { group = false }: { group?: boolean } = {}): void {
  const kill = () => killNow(child, { group });
  process.once("exit", kill);
  child.once("exit", () => {
    // Processes that the leader of a group has started end with it.
    if (group) kill();
    process.off("exit", kill);
  });
}

/** Kills a child at once, or with `group` all that it has started too. */
export function killNow({ pid }: ChildProcess, { group = false }: { group?: boolean } = {}): void {
  if (pid === undefined) return;
  try {
    process.kill(group ? -pid : pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}

// A signal alone ends a process without its "exit".
process.once("SIGINT", () => process.exit(1));
process.once("SIGTERM", () => process.exit(1));
