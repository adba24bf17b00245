import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { type Run, runProgram } from "../kit/program.ts";
import { CLIENT_KEY } from "../kit/testbed.ts";

/** Path of Claude Code's program. */
export const CLAUDE_CODE: string = fileURLToPath(
  new URL("../node_modules/@anthropic-ai/claude-code-linux-x64/claude", import.meta.url),
);

/** Why Claude Code cannot run here, or `false`. */
export const NO_CLAUDE_CODE: string | false = existsSync(CLAUDE_CODE)
  ? false
  : `Claude Code is pinned as a native binary for linux-x64 with glibc; this is ${process.platform}-${process.arch}`;

/** A home and a working directory for Claude Code. */
export interface ClientFolders {
  home: string;
  work: string;
}

/** Makes a home and a working directory, fresh and empty, for as long as `use` runs. */
export async function withFolders<T>(use: (folders: ClientFolders) => Promise<T>): Promise<T> {
  const folders = {
    home: await mkdtemp(join(tmpdir(), "claude-home-")),
    work: await mkdtemp(join(tmpdir(), "claude-work-")),
  };
  try {
    return await use(folders);
  } finally {
    for (const path of [folders.home, folders.work]) {
      // Processes that the program has started may still write for a moment.
      await rm(path, { recursive: true, force: true, maxRetries: 10 });
    }
  }
}

/** Runs Claude Code once with a gateway. All connections outside the loopback interface are refused. */
export function runClaudeCode(
  { url, folders, args, env }: {
    url: string;
    folders: ClientFolders;
    args: string[];
    env?: Record<string, string>;
  },
): Promise<Run> {
  return runProgram(CLAUDE_CODE, args, {
    cwd: folders.work,
    env: { ...clientVariables(url, folders), ...env },
  });
}

/** Returns the variables that lead Claude Code to a gateway. */
export function clientVariables(url: string, folders: ClientFolders): Record<string, string> {
  return {
    HOME: folders.home,
    CLAUDE_CODE_TMPDIR: folders.home,
    ANTHROPIC_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: CLIENT_KEY,
    CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
    DISABLE_AUTOUPDATER: "1",
    DISABLE_TELEMETRY: "1",
  };
}

/** The output of `--output-format json`, and the last line of `stream-json`. */
export interface Result {
  subtype: string;
  is_error: boolean;
  result: string;
  session_id: string;
  /** The object that `--json-schema` requested. */
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

/** Reads the result from the output of a run. */
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
