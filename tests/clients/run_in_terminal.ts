import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { killAtExit, killNow } from "./children.ts";
import type { Run } from "./program.ts";
import { startProxy } from "./proxy.ts";

/** Why programs cannot run in a terminal here, or `false`. */
export const NO_TERMINAL: string | false =
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true
    ? false
    : "no script of util-linux, which opens a terminal";

/**
 * Runs a program in a terminal of 140 columns, until it has shown what matches, or for 60 seconds. Its output is the text
 * without the sequences that move and color it. What is not loopback is behind a proxy that refuses it.
 */
export async function runInTerminal(
  words: readonly string[],
  { cwd, env, until }: { cwd: string; env: Record<string, string>; until: RegExp },
): Promise<Run> {
  const proxy = await startProxy();
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const child = spawn("script", ["-qfec", `stty rows 40 cols 140; exec ${command}`, "/dev/null"], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      SHELL: "/bin/sh",
      LANG: "C.UTF-8",
      TERM: "xterm-256color",
      HTTP_PROXY: proxy.url,
      HTTPS_PROXY: proxy.url,
      NO_PROXY: "127.0.0.1",
      ...env,
    },
    detached: true,
    stdio: ["pipe", "pipe", "pipe"],
  });
  // The end of `script` closes the terminal, which ends the program.
  killAtExit(child, { group: true });
  const timer = setTimeout(() => killNow(child, { group: true }), 60_000);
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    shown += text;
    if (until.test(withoutSequences(shown))) killNow(child, { group: true });
  });
  try {
    await once(child, "close");
  } finally {
    clearTimeout(timer);
    await proxy.close();
  }
  return { code: child.exitCode, stdout: withoutSequences(shown), stderr: "", sought: proxy.sought };
}

/** Removes control sequences and operating system commands. Source: ECMA-48, and xterm's control sequences. */
function withoutSequences(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;?<=>]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b./g, " ");
}
