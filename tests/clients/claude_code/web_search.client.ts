import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../../end_to_end/tools/network.ts";
import { type Desk, NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testAtDesk, WAYS } from "./stage.ts";
import { NO_OWN_GATEWAY, setStage, type Stage, TRANSLATED } from "../kit/stage.ts";
import { setToolStage } from "../tools/stage.ts";
import { call, type Page, say, type Turn } from "../../kit/model/turns.ts";

const [ID, INNER] = TRANSLATED.ids;

describe("Claude Code, its search of the web, by SearXNG", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  const stage = setToolStage();

  testAtDesk("works with a model that has none", async (desk) => {
    const page = { url: stage.web.page, title: "On bees", content: "" };
    await checkSearch(stage, { desk, search: [], pages: [...HITS, page] });
    assert.equal(stage.web.searched().at(-1), "bees dance");
  });
});

describe("Claude Code, its search of the web, by OpenRouter", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  testAtDesk("works with a model that has none, without tools of the gateway's", async (desk) => {
    await checkSearch(stage, { desk, search: [say({ text: ["done"], found: [...HITS] })], pages: HITS });
    const asked = JSON.stringify(stage.upstream.asked[3]?.body);
    assert.match(asked, /bees dance/);
    assert.match(asked, /"openrouter:web_search"/);
  });
});

interface Search {
  desk: Desk;
  /** What the upstream says when it is asked to search itself. */
  search: readonly Turn[];
  /** What is found. */
  pages: readonly Page[];
}

async function checkSearch(stage: Stage, { desk, search, pages }: Search): Promise<void> {
  stage.upstream.script(
    // Its tool is one of those that it loads when they are sought.
    say({ tools: [call("call_0", "ToolSearch", { query: "select:WebSearch" })] }),
    say({ tools: [call(ID, "WebSearch", { query: "how do bees dance" })] }),
    // It asks once more, in a conversation of its own, with Anthropic's search as the only tool.
    say({ tools: [call(INNER, "web_search", { query: "bees dance" })] }),
    ...search,
    say({ text: ["They dance a figure of eight. [[1.1]]"] }),
    say({ text: ["In a figure of eight."] }),
  );
  const args = ["-p", "How do bees dance?", "--output-format", "json", "--allowedTools", "WebSearch"];
  const run = await runClaudeCode({ url: stage.url, desk, args: [...args, ...WAYS.translated.args] });
  checkResult(parseResult(run), "In a figure of eight.");
  assert.deepEqual(run.sought, []);
  for (const { path } of stage.upstream.asked) assert.equal(path, TRANSLATED.path);

  assert.deepEqual(stage.sent(2).tools, ["web_search"]);
  assert.match(stage.sent(2).user, /how do bees dance/);
  const last = 4 + search.length;
  assert.match(stage.sent(last - 1).results[0]?.text ?? "", /\[\[[0-9a-f]{6}\.1\]\] The dance of bees/);
  const [, found] = stage.sent(last).results;
  assert.equal(found?.id, ID);
  const links = pages.map(({ title, url }) => ({ title, url }));
  assert.ok(found?.text.includes(`Links: ${JSON.stringify(links)}`), found?.text);
  assert.match(found.text, /They dance a figure of eight\.\n/);
}
