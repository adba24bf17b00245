import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../../end_to_end/tools/network.ts";
import { type ClientFolders, NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testWithFolders, WAYS } from "./testbed.ts";
import { NO_OWN_GATEWAY, setUpTestbed, type Testbed, TRANSLATED } from "../kit/testbed.ts";
import { setToolStage } from "../tools/testbed.ts";
import { call, type Page, reply, type Turn } from "../../kit/model/turns.ts";

const [ID, INNER] = TRANSLATED.ids;

describe("Claude Code, its search of the web, by SearXNG", { skip: NO_CLAUDE_CODE || NO_OWN_GATEWAY }, () => {
  const testbed = setToolStage();

  testWithFolders("works with a model that has none", async (folders) => {
    const page = { url: testbed.web.page, title: "On bees", content: "" };
    await checkSearch(testbed, { folders, search: [], pages: [...HITS, page] });
    assert.equal(testbed.web.searched().at(-1), "bees dance");
  });
});

describe("Claude Code, its search of the web, by OpenRouter", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  testWithFolders("works with a model that has none, without tools of the gateway's", async (folders) => {
    await checkSearch(testbed, {
      folders,
      search: [reply({ text: ["done"], found: [...HITS] })],
      pages: HITS,
    });
    const received = JSON.stringify(testbed.upstream.received[3]?.body);
    assert.match(received, /bees dance/);
    assert.match(received, /"openrouter:web_search"/);
  });
});

interface Search {
  folders: ClientFolders;
  /** The answer of an upstream that searches itself. */
  search: readonly Turn[];
  /** The page that is found. */
  pages: readonly Page[];
}

async function checkSearch(testbed: Testbed, { folders, search, pages }: Search): Promise<void> {
  testbed.upstream.script(
    // Its tool is one of those that it loads when they are sought.
    reply({ tools: [call("call_0", "ToolSearch", { query: "select:WebSearch" })] }),
    reply({ tools: [call(ID, "WebSearch", { query: "how do bees dance" })] }),
    // It sends another request, a separate conversation with Anthropic's search as the only tool.
    reply({ tools: [call(INNER, "web_search", { query: "bees dance" })] }),
    ...search,
    reply({ text: ["They dance a figure of eight. [[1.1]]"] }),
    reply({ text: ["In a figure of eight."] }),
  );
  const args = ["-p", "How do bees dance?", "--output-format", "json", "--allowedTools", "WebSearch"];
  const run = await runClaudeCode({ url: testbed.url, folders, args: [...args, ...WAYS.translated.args] });
  checkResult(parseResult(run), "In a figure of eight.");
  assert.deepEqual(run.sought, []);
  for (const { path } of testbed.upstream.received) assert.equal(path, TRANSLATED.path);

  assert.deepEqual(testbed.sent(2).tools, ["web_search"]);
  assert.match(testbed.sent(2).user, /how do bees dance/);
  const last = 4 + search.length;
  assert.match(testbed.sent(last - 1).results[0]?.text ?? "", /\[\[[0-9a-f]{6}\.1\]\] The dance of bees/);
  const [, found] = testbed.sent(last).results;
  assert.equal(found?.id, ID);
  const links = pages.map(({ title, url }) => ({ title, url }));
  assert.ok(found?.text.includes(`Links: ${JSON.stringify(links)}`), found?.text);
  assert.match(found.text, /They dance a figure of eight\.\n/);
}
