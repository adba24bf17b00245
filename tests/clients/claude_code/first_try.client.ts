import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE, runClaudeCode } from "./claude_code.ts";
import { testWithFolders } from "./testbed.ts";
import { NO_OWN_GATEWAY, setUpTestbed } from "../kit/testbed.ts";

const DEMO = ["--model", "demo/echo"];

describe("Claude Code, the first try", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  testWithFolders("--model demo/echo answers to the prompt and no reminder", async (folders) => {
    const run = await runClaudeCode({ url: testbed.url, folders, args: ["-p", "hello there", ...DEMO] });
    assert.equal(run.code, 0);
    assert.match(run.stdout, /^This is demo\/echo, .* You said: hello there\n$/);
    assert.match(run.stderr, /doesn't recognize the model "demo\/echo", so it assumes a context window/);
    assert.match(run.stderr, /\[claude-code:unrecognized_model\]/);
    assert.deepEqual(run.sought, []);
  });

  testWithFolders("without a token it asks nobody", async (folders) => {
    const env = { ANTHROPIC_AUTH_TOKEN: "" };
    const run = await runClaudeCode({ url: testbed.url, folders, args: ["-p", "hello there", ...DEMO], env });
    assert.equal(run.code, 1);
    assert.match(run.stdout, /Not logged in · Please run \/login/);
  });

  for (const end of ["/v1", "/", "//v1/", "/api", "/v1/messages"]) {
    testWithFolders(`works with a base URL that ends in "${end}"`, async (folders) => {
      const args = ["-p", "hello there", ...DEMO];
      const run = await runClaudeCode({ url: `${testbed.url}${end}`, folders, args });
      assert.match(run.stdout, /You said: hello there\n$/);
    });
  }
});

describe("Claude Code, the first try with a wrong key", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  const testbed = setUpTestbed({
    settings: () => Promise.resolve({ GATEWAY_API_KEYS: "alice-0123456789abcdef" }),
  });

  const keys = {
    "a token": { ANTHROPIC_AUTH_TOKEN: "wrong" },
    "an API key": { ANTHROPIC_AUTH_TOKEN: "", ANTHROPIC_API_KEY: "wrong" },
  };
  for (const [kind, env] of Object.entries(keys)) {
    testWithFolders(`shows the gateway's words at ${kind} that is wrong`, async (folders) => {
      const run = await runClaudeCode({
        url: testbed.url,
        folders,
        args: ["-p", "hello there", ...DEMO],
        env,
      });
      assert.equal(run.code, 1);
      assert.match(run.stdout, /401 Cannot authenticate: the key is not one of the gateway's keys/);
      assert.doesNotMatch(run.stdout, /login/);
    });
  }
});
