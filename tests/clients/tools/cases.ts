import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../../end_to_end/tools/network.ts";
import { NO_OWN_GATEWAY, type Route, ROUTES, test, TRANSLATED } from "../kit/testbed.ts";
import { setToolStage } from "./testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

/** A request of a client: with which of the gateway's tools, streamed or not. */
export interface Question {
  url: string;
  model: string;
  prompt: string;
  tools: "workspace" | "fetch" | "tool search";
  streamed: boolean;
}

/** A client's view of an answer. */
export interface Described {
  /** A short description of each block, by its type. */
  blocks: string[];
  stop: string | null;
  usage: { input_tokens: number; searches: number; fetches: number };
  /** Continues the conversation. */
  again(prompt: string): Promise<Described>;
}

/** One major of the official SDK, as far as the tests of the gateway's tools use it. */
export interface ToolSdk {
  name: string;
  /** By the beta part of the API. */
  ask(question: Question): Promise<Described>;
  /** By the general part, with Anthropic's search of the web. */
  search(question: Omit<Question, "tools">): Promise<Described>;
}

/** Every test of the gateway's own tools, for one major of the official SDK. */
export function testTools({ name, ask, search }: ToolSdk): void {
  describe(`${name}, the gateway's tools`, { skip: NO_OWN_GATEWAY }, () => {
    const testbed = setToolStage();
    const question = ({ model }: Route, streamed: boolean) => ({
      url: testbed.url,
      model,
      prompt: `Look at ${testbed.web.page}`,
      streamed,
    });

    for (const streamed of [false, true]) {
      const how = streamed ? "streamed" : "whole";

      for (const route of ROUTES) {
        const [one, two] = route.ids;
        test(`beta.messages runs an mcp_toolset and goes on, ${route.name}, ${how}`, async () => {
          testbed.put("hive.txt", "queen\n");
          const edit = { file_path: "hive.txt", old_string: "queen", new_string: "king" };
          testbed.upstream.script(
            reply({ text: ["I look."], tools: [call(one, "Read", { file_path: "hive.txt" })] }),
            reply({ tools: [call(two, "Edit", edit)] }),
            reply({ text: ["Done."] }),
          );
          const first = await ask({ ...question(route, streamed), tools: "workspace" });
          assert.deepEqual(first.blocks, [
            "text: I look.",
            'workspace Read {"file_path":"hive.txt"}',
            "gave      1\tqueen",
            `workspace Edit ${JSON.stringify(edit)}`,
            "gave Changed hive.txt, which now reads:\n     1\tking",
            "text: Done.",
          ]);
          assert.equal(first.stop, "end_turn");
          assert.equal(first.usage.input_tokens, 63);
          assert.equal(testbed.read("hive.txt"), "king\n");

          testbed.upstream.script(reply({ text: ["Gladly."] }));
          const second = await first.again("Thanks");
          assert.deepEqual(second.blocks, ["text: Gladly."]);
          assert.deepEqual(testbed.sent(3).calls.map(({ name }) => name), ["Read", "Edit"]);
          assert.deepEqual(testbed.sent(3).results, testbed.sent(2).results);
          assert.match(testbed.sent(3).user, /Thanks/);
        });

        test(`beta.messages fetches a page, ${route.name}, ${how}`, async () => {
          testbed.upstream.script(
            reply({ tools: [call(one, "web_fetch", { url: testbed.web.page })] }),
            reply({ text: ["It dances."] }),
          );
          const told = await ask({ ...question(route, streamed), tools: "fetch" });
          assert.deepEqual(told.blocks, [
            `web_fetch {"url":"${testbed.web.page}"}`,
            `page On bees of ${testbed.web.page}`,
            "text: It dances.",
          ]);
          assert.deepEqual(told.usage, { input_tokens: 42, searches: 0, fetches: 1 });
        });

        test(`beta.messages finds a deferred tool, ${route.name}, ${how}`, async () => {
          testbed.upstream.script(
            reply({ tools: [call(one, "tool_search_tool_regex", { pattern: "^LS$" })] }),
            reply({ text: ["There is one."] }),
          );
          const told = await ask({ ...question(route, streamed), tools: "tool search" });
          assert.deepEqual(told.blocks, [
            'tool_search_tool_regex {"pattern":"^LS$"}',
            "found LS",
            "text: There is one.",
          ]);
          assert.deepEqual(testbed.sent(0).tools, ["tool_search_tool_regex"]);
          assert.deepEqual(testbed.sent(1).tools, ["tool_search_tool_regex", "LS"]);
        });
      }

      test(`messages searches the web for a model that has no search, and goes on, ${how}`, async () => {
        const [one] = TRANSLATED.ids;
        testbed.upstream.script(
          reply({ tools: [call(one, "web_search", { query: "bees" })] }),
          reply({ text: ["Bees dance", ". [[1.1", "]]", " Indeed."] }),
        );
        const first = await search(question(TRANSLATED, streamed));
        const urls = [...HITS.map(({ url }) => url), testbed.web.page];
        assert.deepEqual(first.blocks, [
          'web_search {"query":"bees"}',
          `hits ${urls.join(" ")}`,
          `text: Bees dance. <${urls[0]}>`,
          "text:  Indeed.",
        ]);
        assert.deepEqual(first.usage, { input_tokens: 42, searches: 1, fetches: 0 });
        assert.match(testbed.sent(1).results[0]?.text ?? "", /Bees dance a figure of eight/);

        testbed.upstream.script(reply({ text: ["Gladly."] }));
        await first.again("Thanks");
        assert.deepEqual(testbed.sent(2).results, testbed.sent(1).results);
      });
    }
  });
}
