import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { killAtExit, killNow } from "./children.ts";
import { startProxy } from "./proxy.ts";

/** Why no program can run in a terminal here, or `false`. */
export const NO_TERMINAL: string | false =
  spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux") === true
    ? false
    : "no script of util-linux, which opens a terminal";

/** A program in a pseudo-terminal. */
export interface Terminal {
  /**
   * Waits until what was written since the last wait matches, without colors, moves of the cursor and blanks: programs
   * move the cursor over blanks.
   */
  shows(pattern: RegExp): Promise<RegExpExecArray>;
  /** Types text or control characters. */
  type(text: string): void;
  /** Ends the program, with all that it has started. */
  close(): Promise<void>;
}

const WAIT_MS = 20_000;

/** Keys that are more than a character. */
export const ENTER = "\r";
export const UP = "\x1b[A";

/**
 * Starts a program in a terminal of 120 by 45 characters, with this environment alone. What is not loopback is behind a
 * proxy that refuses it.
 */
export async function openTerminal(
  words: readonly string[],
  { cwd, env }: { cwd: string; env: Record<string, string> },
): Promise<Terminal> {
  const proxy = await startProxy();
  const command = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(" ");
  const line = `stty cols 120 rows 45; exec ${command}`;
  const child = spawn("script", ["--quiet", "--flush", "--return", "--command", line, "/dev/null"], {
    cwd,
    env: {
      PATH: process.env["PATH"],
      LANG: "C.UTF-8",
      SHELL: "/bin/sh",
      TERM: "xterm-256color",
      HTTP_PROXY: proxy.url,
      HTTPS_PROXY: proxy.url,
      NO_PROXY: "127.0.0.1",
      ...env,
    },
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  killAtExit(child, { group: true });
  const ended = once(child, "close");
  let written = "";
  let notify = () => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    written += text;
    notify();
  });
  return {
    async shows(pattern) {
      const timeout = AbortSignal.timeout(WAIT_MS);
      const over = Promise.race([ended, once(timeout, "abort")]).then(() => true);
      while (true) {
        const changed = new Promise<boolean>((resolve) => notify = () => resolve(false));
        const found = pattern.exec(toPlainText(written));
        if (found !== null) {
          written = "";
          return found;
        }
        if (await Promise.race([changed, over])) {
          throw new Error(`The program does not show ${pattern}, but: ${toPlainText(written)}`);
        }
      }
    },
    type: (text) => void child.stdin.write(text),
    async close() {
      killNow(child, { group: true });
      await ended;
      await proxy.close();
    },
  };
}

/** Removes control sequences and blanks. */
function toPlainText(written: string): string {
  return CONTROLS.reduce((text, control) => text.replace(control, ""), written);
}

/** Titles and links, colors and moves of the cursor, other sequences, blanks. */
// deno-lint-ignore no-control-regex
const CONTROLS = [/\x1b\].*?(?:\x07|\x1b\\)/gs, /\x1b\[[\d;?<>=]*[A-Za-z]/g, /\x1b[^[\]]/g, /\s+/g];
