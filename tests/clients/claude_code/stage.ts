import assert from "node:assert/strict";
import { type Desk, parseResult, type Result, runClaudeCode, withDesk } from "./claude_code.ts";
import type { Run } from "../kit/program.ts";
import { type Road, type Stage, test } from "../kit/stage.ts";

/** How Claude Code is led to a road, and the model that the upstream is then asked for. */
export const WAYS: Record<Road["name"], { args: string[]; model: string }> = {
  translated: { args: ["--model", "openai/gpt-5"], model: "openai/gpt-5" },
  native: { args: [], model: "anthropic/claude-opus-5.5" },
};

/** What lets Claude Code read, change and run without asking. */
export const TOOLS = ["--allowedTools", "Read,Edit,Write,Bash"];

/** Runs Claude Code with a prompt and these arguments. */
export type Prompt = (desk: Desk, text: string, ...args: string[]) => Promise<{ run: Run; result: Result }>;

/**
 * Leads prompts of Claude Code to a road. Each prints its result as JSON; each is checked to have taken that road, and
 * to have sought nothing but the gateway.
 */
export function createPrompt(stage: Stage, road: Road): Prompt {
  return async (desk, text, ...args) => {
    const all = ["-p", text, "--output-format", "json", ...WAYS[road.name].args, ...args];
    const run = await runClaudeCode({ url: stage.url, desk, args: all });
    assert.deepEqual(run.sought, []);
    for (const { path } of stage.upstream.asked) assert.equal(path, road.path);
    return { run, result: parseResult(run) };
  };
}

/** Declares a test that has a home and a working directory for Claude Code. */
export function testAtDesk(name: string, run: (desk: Desk) => Promise<void>): void {
  test(name, () => withDesk(run), 90);
}

/** Checks that a run succeeded with this text. */
export function checkResult(result: Result, text: string): void {
  assert.equal(result.result, text);
  assert.equal(result.is_error, false);
  assert.equal(result.subtype, "success");
}
