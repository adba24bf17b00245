import { type ChildProcess, spawn } from "node:child_process";
import { EventEmitter, once } from "node:events";
import { createServer } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { killAtExit, killNow } from "./children.ts";

/** A running gateway, in a separate process. */
export interface Gateway {
  /** The value for `ANTHROPIC_BASE_URL`: without `/v1`, and without a slash at the end. */
  url: string;
  /** Returns the output since the last call. */
  log(): string;
  /** Waits until the output since the last call of `log()` matches. */
  wrote(pattern: RegExp): Promise<void>;
  stop(): Promise<void>;
}

/** Aliases of every gateway under test: a Claude-like name for the translated route, a plain one for the native. */
export const ALIASES: Record<string, { model: string }> = {
  "claude-of-the-house": { model: "openai/gpt-5" },
  "house-model": { model: "anthropic/claude-sonnet-4.5" },
};

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));

/** Settings of a gateway under test. */
export interface GatewayOptions {
  /** The value of `OPENROUTER_BASE_URL`. */
  upstream: string;
  /** Its key for the upstream. */
  key?: string;
  /** More of its environment. */
  settings?: Record<string, string>;
  /** The runtime; Bun has SQLite, which Node.js 20 lacks. Default: that of the tests. */
  runtime?: "bun";
}

/**
 * Starts the gateway as a user does and waits until it serves. Without `key` it has no key for the upstream.
 *
 * @throws {Error} with its output, if it ends or does not serve within 30 seconds.
 */
export async function startGateway(options: GatewayOptions): Promise<Gateway> {
  const port = await freePort();
  const [command, ...args] = options.runtime === "bun"
    ? [`${ROOT}node_modules/.bin/bun`, "run"]
    : [process.execPath, "--import", "tsx"];
  const child = spawn(command, [...args, "mod.ts", "--port", String(port)], {
    cwd: ROOT,
    env: {
      PATH: process.env["PATH"],
      HOME: process.env["HOME"],
      OPENROUTER_BASE_URL: options.upstream,
      MODEL_MAP: JSON.stringify(ALIASES),
      ...(options.key === undefined ? {} : { OPENROUTER_API_KEY: options.key }),
      ...options.settings,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  killAtExit(child);
  let written = "";
  const more = new EventEmitter();
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      written += text;
      more.emit("text");
    });
  }
  child.once("exit", (code, signal) => void (written += `(ended with ${code ?? signal})\n`));
  const gateway: Gateway = {
    url: `http://127.0.0.1:${port}`,
    log() {
      const text = written;
      written = "";
      return text;
    },
    async wrote(pattern) {
      while (!pattern.test(written)) await once(more, "text");
    },
    stop: () => stop(child),
  };
  for (const deadline = Date.now() + 30_000; !(await serves(gateway.url));) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop(child);
      throw new Error(
        `Cannot start the gateway: it ${child.exitCode === null ? "is silent" : "ended"}\n${written}`,
      );
    }
    await wait(50);
  }
  return gateway;
}

async function serves(url: string): Promise<boolean> {
  return await fetch(`${url}/health`).then((response) => response.ok, () => false);
}

/** Stops the process, after 5 seconds by SIGKILL. */
async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const force = setTimeout(() => killNow(child), 5_000);
  await ended;
  clearTimeout(force);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("Cannot find a free port");
  return address.port;
}
