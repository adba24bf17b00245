import { spawn } from "node:child_process";
import { once } from "node:events";
import { killAtExit, killNow } from "./children.ts";
import { proxiedEnvironment, startProxy } from "./proxy.ts";

/** Result of a run of a program. */
export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Addresses outside the loopback interface that it tried to reach, as `host:port` or a URL; each was refused. */
  sought: string[];
}

/**
 * Runs a program once, with this environment alone and whatever is not loopback behind a proxy that refuses it. It is
 * killed, with all that it started, after 60 seconds.
 */
export async function runProgram(
  command: string,
  args: string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Run> {
  const proxy = await startProxy();
  const child = spawn(command, args, {
    cwd,
    env: {
      ...proxiedEnvironment(proxy),
      ...env,
    },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (out.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (out.stderr += text));
  killAtExit(child, { group: true });
  const timer = setTimeout(() => killNow(child, { group: true }), 60_000);
  try {
    await once(child, "close");
  } finally {
    clearTimeout(timer);
    await proxy.close();
  }
  return { code: child.exitCode, ...out, sought: proxy.sought };
}
