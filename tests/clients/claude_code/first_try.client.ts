import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE, runClaudeCode } from "./claude_code.ts";
import { testAtDesk } from "./stage.ts";
import { NO_OWN_GATEWAY, setStage } from "../kit/stage.ts";

const DEMO = ["--model", "demo/echo"];

describe("Claude Code, the first try", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  testAtDesk("--model demo/echo answers to the prompt and no reminder", async (desk) => {
    const run = await runClaudeCode({ url: stage.url, desk, args: ["-p", "hello there", ...DEMO] });
    assert.equal(run.code, 0);
    assert.match(run.stdout, /^This is demo\/echo, .* You said: hello there\n$/);
    assert.match(run.stderr, /doesn't recognize the model "demo\/echo", so it assumes a context window/);
    assert.match(run.stderr, /\[claude-code:unrecognized_model\]/);
    assert.deepEqual(run.sought, []);
  });

  testAtDesk("without a token it asks nobody", async (desk) => {
    const env = { ANTHROPIC_AUTH_TOKEN: "" };
    const run = await runClaudeCode({ url: stage.url, desk, args: ["-p", "hello there", ...DEMO], env });
    assert.equal(run.code, 1);
    assert.match(run.stdout, /Not logged in · Please run \/login/);
  });

  for (const end of ["/v1", "/", "//v1/", "/api", "/v1/messages"]) {
    testAtDesk(`works with a base URL that ends in "${end}"`, async (desk) => {
      const args = ["-p", "hello there", ...DEMO];
      const run = await runClaudeCode({ url: `${stage.url}${end}`, desk, args });
      assert.match(run.stdout, /You said: hello there\n$/);
    });
  }
});

describe("Claude Code, the first try with a wrong key", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  const stage = setStage({
    settings: () => Promise.resolve({ GATEWAY_API_KEYS: "alice-0123456789abcdef" }),
  });

  const keys = {
    "a token": { ANTHROPIC_AUTH_TOKEN: "wrong" },
    "an API key": { ANTHROPIC_AUTH_TOKEN: "", ANTHROPIC_API_KEY: "wrong" },
  };
  for (const [kind, env] of Object.entries(keys)) {
    testAtDesk(`shows the gateway's words at ${kind} that is wrong`, async (desk) => {
      const run = await runClaudeCode({ url: stage.url, desk, args: ["-p", "hello there", ...DEMO], env });
      assert.equal(run.code, 1);
      assert.match(run.stdout, /401 Cannot authenticate: the key is not one of the gateway's keys/);
      assert.doesNotMatch(run.stdout, /login/);
    });
  }
});
