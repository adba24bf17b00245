import assert from "node:assert/strict";
import { type ClientFolders, parseResult, type Result, runClaudeCode, withFolders } from "./claude_code.ts";
import type { Run } from "../kit/program.ts";
import { type Route, test, type Testbed } from "../kit/testbed.ts";

/** Arguments with which Claude Code uses a route, and the model that the upstream must receive. */
export const WAYS: Record<Route["name"], { args: string[]; model: string }> = {
  translated: { args: ["--model", "openai/gpt-5"], model: "openai/gpt-5" },
  native: { args: [], model: "anthropic/claude-opus-5.5" },
};

/** Lets Claude Code read, change and run without asking. */
export const TOOLS = ["--allowedTools", "Read,Edit,Write,Bash"];

/** Runs Claude Code with a prompt and these arguments. */
export type Prompt = (
  folders: ClientFolders,
  text: string,
  ...args: string[]
) => Promise<{ run: Run; result: Result }>;

/**
 * Returns a function that runs a prompt of Claude Code on a route. Its result is JSON. It checks that the requests took
 * that route, and that the program tried to reach the gateway only.
 */
export function createPrompt(testbed: Testbed, route: Route): Prompt {
  return async (folders, text, ...args) => {
    const all = ["-p", text, "--output-format", "json", ...WAYS[route.name].args, ...args];
    const run = await runClaudeCode({ url: testbed.url, folders, args: all });
    assert.deepEqual(run.sought, []);
    for (const { path } of testbed.upstream.received) assert.equal(path, route.path);
    return { run, result: parseResult(run) };
  };
}

/** Declares a test that has a home and a working directory for Claude Code. */
export function testWithFolders(name: string, run: (folders: ClientFolders) => Promise<void>): void {
  test(name, () => withFolders(run), 90);
}

/** Checks that a run succeeded with this text. */
export function checkResult(result: Result, text: string): void {
  assert.equal(result.result, text);
  assert.equal(result.is_error, false);
  assert.equal(result.subtype, "success");
}
