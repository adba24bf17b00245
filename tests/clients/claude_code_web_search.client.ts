import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../tools/door/network.ts";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testAtDesk, WAYS } from "./claude_code_stage.ts";
import { NO_OWN_GATEWAY, TRANSLATED } from "./stage.ts";
import { setToolStage } from "./tools_stage.ts";
import { call, say } from "./turns.ts";

describe("Claude Code, its search of the web", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  const stage = setToolStage();

  testAtDesk("works with a model that has none, for the gateway searches", async (desk) => {
    const [one, two] = TRANSLATED.ids;
    stage.upstream.script(
      // Its tool is one of those that it loads when they are sought.
      say({ tools: [call("call_0", "ToolSearch", { query: "select:WebSearch" })] }),
      say({ tools: [call(one, "WebSearch", { query: "how do bees dance" })] }),
      // It asks once more, in a conversation of its own, with Anthropic's search as the only tool.
      say({ tools: [call(two, "web_search", { query: "bees dance" })] }),
      say({ text: ["They dance a figure of eight. [[1.1]]"] }),
      say({ text: ["In a figure of eight."] }),
    );
    const args = ["-p", "How do bees dance?", "--output-format", "json", "--allowedTools", "WebSearch"];
    const run = await runClaudeCode({
      url: stage.url,
      desk,
      args: [...args, ...WAYS.translated.args],
    });
    checkResult(parseResult(run), "In a figure of eight.");
    assert.deepEqual(run.sought, []);
    for (const { path } of stage.upstream.asked) assert.equal(path, TRANSLATED.path);
    assert.equal(stage.web.searched().at(-1), "bees dance");

    assert.deepEqual(stage.sent(2).tools, ["web_search"]);
    assert.match(stage.sent(2).user, /how do bees dance/);
    assert.match(stage.sent(3).results[0]?.text ?? "", /\[\[1\.1\]\] The dance of bees/);
    const [, found] = stage.sent(4).results;
    assert.equal(found?.id, one);
    const links = [...HITS.map(({ title, url }) => ({ title, url })), {
      title: "On bees",
      url: stage.web.page,
    }];
    assert.ok(found?.text.includes(`Links: ${JSON.stringify(links)}`), found?.text);
    assert.match(found.text, /They dance a figure of eight\.\n/);
  });
});
