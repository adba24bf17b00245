import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testAtDesk, TOOLS } from "./claude_code_stage.ts";
import { startGateway } from "./gateway.ts";
import { startResponsesUpstream } from "./responses_upstream.ts";

describe("Claude Code with gpt-5.6 of OpenAI", { skip: NO_CLAUDE_CODE }, () => {
  testAtDesk("reads a file, thinks, and edits it on disk", async (desk) => {
    const file_path = join(desk.work, "greeting.txt");
    await writeFile(file_path, "Hello world 🙂\nsecond line\n");
    const edit = { file_path, old_string: "Hello world 🙂", new_string: "Grüezi, 世界 🙂" };
    const upstream = await startResponsesUpstream([
      {
        secret: "gAAA-1",
        text: "I look.",
        calls: [{ id: "call_aB3dE5gH7", name: "Read", input: { file_path } }],
      },
      { secret: "gAAA-2", text: "I edit.", calls: [{ id: "call_bB3dE5gH7", name: "Edit", input: edit }] },
      { secret: "gAAA-3", text: "Done." },
    ]);
    const settings = {
      UPSTREAMS: JSON.stringify({ openai: { url: upstream.url, key: "key-of-openai", preset: "openai" } }),
    };
    const gateway = await startGateway({ upstream: upstream.url, settings });
    try {
      const args = [
        "-p",
        "Do as you are told",
        "--output-format",
        "json",
        "--model",
        "openai/gpt-5.6-sol",
        ...TOOLS,
      ];
      const result = parseResult(await runClaudeCode({ url: gateway.url, desk, args }));
      assert.deepEqual(upstream.rejections, []);
      checkResult(result, "Done.");
      assert.equal(await readFile(file_path, "utf8"), "Grüezi, 世界 🙂\nsecond line\n");
      const last = upstream.requests.at(-1);
      assert.ok(last?.tools?.some(({ name }) => name === "Edit"));
      const secrets = last?.input.filter(({ type }) => type === "reasoning").map((item) =>
        item.encrypted_content
      );
      assert.deepEqual(secrets, ["gAAA-1", "gAAA-2"], "the reasoning returns");
    } finally {
      await gateway.stop();
      await upstream.close();
    }
  });
});
