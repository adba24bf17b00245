import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { killAtExit, killNow } from "./children.ts";
import { CLIENT_KEY } from "./stage.ts";

const BINARY = fileURLToPath(
  new URL("node_modules/@anthropic-ai/claude-code-linux-x64/claude", import.meta.url),
);

/** Why Claude Code cannot run here, or `false`. */
export const NO_CLAUDE_CODE: string | false = existsSync(BINARY)
  ? false
  : `Claude Code is pinned as a native binary for linux-x64 with glibc; this is ${process.platform}-${process.arch}`;

/** What a run of Claude Code left behind. */
export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
  /** Whom it tried to reach besides the gateway, as `host:port` or a URL; each was refused. */
  sought: string[];
}

/** A home and a working directory for Claude Code. */
export interface Desk {
  home: string;
  work: string;
}

/** Makes a home and a working directory, fresh and empty, for as long as `use` runs. */
export async function withDesk<T>(use: (desk: Desk) => Promise<T>): Promise<T> {
  const desk = {
    home: await mkdtemp(join(tmpdir(), "claude-home-")),
    work: await mkdtemp(join(tmpdir(), "claude-work-")),
  };
  try {
    return await use(desk);
  } finally {
    for (const path of [desk.home, desk.work]) {
      await rm(path, { recursive: true, force: true });
    }
  }
}

/**
 * Runs Claude Code once, with a clean environment and whatever is not loopback behind a proxy that refuses it. It is
 * killed, with all that it started, after 60 seconds.
 */
export async function runClaudeCode(
  options: { url: string; desk: Desk; args: string[]; env?: Record<string, string> },
): Promise<Run> {
  const proxy = await startProxy();
  const child = spawn(BINARY, options.args, {
    cwd: options.desk.work,
    env: {
      PATH: process.env["PATH"],
      HOME: options.desk.home,
      CLAUDE_CODE_TMPDIR: options.desk.home,
      LANG: "C.UTF-8",
      ANTHROPIC_BASE_URL: options.url,
      ANTHROPIC_AUTH_TOKEN: CLIENT_KEY,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_AUTOUPDATER: "1",
      DISABLE_TELEMETRY: "1",
      HTTP_PROXY: proxy.url,
      HTTPS_PROXY: proxy.url,
      NO_PROXY: "127.0.0.1",
      ...options.env,
    },
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
  const out = { stdout: "", stderr: "" };
  child.stdout.setEncoding("utf8").on("data", (text: string) => void (out.stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => void (out.stderr += text));
  killAtExit(child, { group: true });
  const timer = setTimeout(() => killNow(child, { group: true }), 60_000);
  await once(child, "close");
  clearTimeout(timer);
  await proxy.close();
  return { code: child.exitCode, ...out, sought: proxy.sought };
}

/** What `--output-format json` prints, and `stream-json` as its last line. */
export interface Result {
  subtype: string;
  is_error: boolean;
  result: string;
  session_id: string;
  /** What `--json-schema` asked for. */
  structured_output?: unknown;
  usage: { input_tokens: number; output_tokens: number; cache_read_input_tokens: number };
}

const Result: z.ZodType<Result> = z.looseObject({
  type: z.literal("result"),
  subtype: z.string(),
  is_error: z.boolean(),
  result: z.string(),
  session_id: z.string(),
  structured_output: z.unknown().optional(),
  usage: z.looseObject({
    input_tokens: z.number(),
    output_tokens: z.number(),
    cache_read_input_tokens: z.number(),
  }),
});

/** Reads the result from what a run has printed. */
export function parseResult(run: Run): Result {
  const line = run.stdout.trimEnd().split("\n").at(-1) ?? "";
  try {
    return Result.parse(JSON.parse(line));
  } catch (cause) {
    throw new Error(`Cannot read the result of Claude Code "${line}": ${run.stderr || "no reason given"}`, {
      cause,
    });
  }
}

/** A proxy on the loopback interface that lets nothing through and notes who was asked for. */
async function startProxy(): Promise<{ url: string; sought: string[]; close(): Promise<void> }> {
  const sought: string[] = [];
  const server = createServer((request, response) => {
    sought.push(request.url ?? "");
    response.writeHead(403).end();
  });
  server.on("connect", (request, socket) => {
    sought.push(request.url ?? "");
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const close = async () => {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  return { url: `http://127.0.0.1:${port}`, sought, close };
}
