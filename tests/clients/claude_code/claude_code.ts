import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Run, runProgram } from "../kit/program.ts";
import { CLIENT_KEY } from "../kit/stage.ts";

/** Path of Claude Code's program. */
export const CLAUDE_CODE: string = fileURLToPath(
  new URL("../node_modules/@anthropic-ai/claude-code-linux-x64/claude", import.meta.url),
);

/** Why Claude Code cannot run here, or `false`. */
export const NO_CLAUDE_CODE: string | false = existsSync(CLAUDE_CODE)
  ? false
  : `Claude Code is pinned as a native binary for linux-x64 with glibc; this is ${process.platform}-${process.arch}`;

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
      // What the program has started may still write for a moment.
      await rm(path, { recursive: true, force: true, maxRetries: 10 });
    }
  }
}

/** Runs Claude Code once, led to a gateway; what it cannot do without the world, it finds refused. */
export function runClaudeCode(
  { url, desk, args, env }: { url: string; desk: Desk; args: string[]; env?: Record<string, string> },
): Promise<Run> {
  return runProgram(CLAUDE_CODE, args, {
    cwd: desk.work,
    env: { ...clientVariables(url, desk), ...env },
  });
}

/** Returns the variables that lead Claude Code to a gateway. */
export function clientVariables(url: string, desk: Desk): Record<string, string> {
  return {
    HOME: desk.home,
    CLAUDE_CODE_TMPDIR: desk.home,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: CLIENT_KEY,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
  };
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
