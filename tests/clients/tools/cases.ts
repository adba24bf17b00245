import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../../end_to_end/tools/network.ts";
import { NO_OWN_GATEWAY, type Road, ROADS, test, TRANSLATED } from "../kit/stage.ts";
import { setToolStage } from "./stage.ts";
import { call, say } from "../../kit/model/turns.ts";

/** What is asked of a client: with which of the gateway's tools, streamed or not. */
export interface Question {
  url: string;
  model: string;
  prompt: string;
  tools: "workspace" | "fetch" | "tool search";
  streamed: boolean;
}

/** What a client makes of an answer. */
export interface Told {
  /** Each block in a few words, by its own type. */
  blocks: string[];
  stop: string | null;
  usage: { input_tokens: number; searches: number; fetches: number };
  /** Asks on, in the same conversation. */
  again(prompt: string): Promise<Told>;
}

/** One major of the official SDK, as far as it is asked for the gateway's tools. */
export interface ToolSdk {
  name: string;
  /** By the beta part of the API. */
  ask(question: Question): Promise<Told>;
  /** By the general part, with Anthropic's search of the web. */
  search(question: Omit<Question, "tools">): Promise<Told>;
}

/** Every test of the gateway's own tools, for one major of the official SDK. */
export function testTools({ name, ask, search }: ToolSdk): void {
  describe(`${name}, the gateway's tools`, { skip: NO_OWN_GATEWAY }, () => {
    const stage = setToolStage();
    const question = ({ model }: Road, streamed: boolean) => ({
      url: stage.url,
      model,
      prompt: `Look at ${stage.web.page}`,
      streamed,
    });

    for (const streamed of [false, true]) {
      const how = streamed ? "streamed" : "whole";

      for (const road of ROADS) {
        const [one, two] = road.ids;
        test(`beta.messages runs an mcp_toolset and goes on, ${road.name}, ${how}`, async () => {
          stage.put("hive.txt", "queen\n");
          const edit = { file_path: "hive.txt", old_string: "queen", new_string: "king" };
          stage.upstream.script(
            say({ text: ["I look."], tools: [call(one, "Read", { file_path: "hive.txt" })] }),
            say({ tools: [call(two, "Edit", edit)] }),
            say({ text: ["Done."] }),
          );
          const first = await ask({ ...question(road, streamed), tools: "workspace" });
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
          assert.equal(stage.read("hive.txt"), "king\n");

          stage.upstream.script(say({ text: ["Gladly."] }));
          const second = await first.again("Thanks");
          assert.deepEqual(second.blocks, ["text: Gladly."]);
          assert.deepEqual(stage.sent(3).calls.map(({ name }) => name), ["Read", "Edit"]);
          assert.deepEqual(stage.sent(3).results, stage.sent(2).results);
          assert.match(stage.sent(3).user, /Thanks/);
        });

        test(`beta.messages fetches a page, ${road.name}, ${how}`, async () => {
          stage.upstream.script(
            say({ tools: [call(one, "web_fetch", { url: stage.web.page })] }),
            say({ text: ["It dances."] }),
          );
          const told = await ask({ ...question(road, streamed), tools: "fetch" });
          assert.deepEqual(told.blocks, [
            `web_fetch {"url":"${stage.web.page}"}`,
            `page On bees of ${stage.web.page}`,
            "text: It dances.",
          ]);
          assert.deepEqual(told.usage, { input_tokens: 42, searches: 0, fetches: 1 });
        });

        test(`beta.messages finds a deferred tool, ${road.name}, ${how}`, async () => {
          stage.upstream.script(
            say({ tools: [call(one, "tool_search_tool_regex", { pattern: "^LS$" })] }),
            say({ text: ["There is one."] }),
          );
          const told = await ask({ ...question(road, streamed), tools: "tool search" });
          assert.deepEqual(told.blocks, [
            'tool_search_tool_regex {"pattern":"^LS$"}',
            "found LS",
            "text: There is one.",
          ]);
          assert.deepEqual(stage.sent(0).tools, ["tool_search_tool_regex"]);
          assert.deepEqual(stage.sent(1).tools, ["tool_search_tool_regex", "LS"]);
        });
      }

      test(`messages searches the web for a model that has no search, and goes on, ${how}`, async () => {
        const [one] = TRANSLATED.ids;
        stage.upstream.script(
          say({ tools: [call(one, "web_search", { query: "bees" })] }),
          say({ text: ["Bees dance", ". [[1.1", "]]", " Indeed."] }),
        );
        const first = await search(question(TRANSLATED, streamed));
        const urls = [...HITS.map(({ url }) => url), stage.web.page];
        assert.deepEqual(first.blocks, [
          'web_search {"query":"bees"}',
          `hits ${urls.join(" ")}`,
          `text: Bees dance. <${urls[0]}>`,
          "text:  Indeed.",
        ]);
        assert.deepEqual(first.usage, { input_tokens: 42, searches: 1, fetches: 0 });
        assert.match(stage.sent(1).results[0]?.text ?? "", /Bees dance a figure of eight/);

        stage.upstream.script(say({ text: ["Gladly."] }));
        await first.again("Thanks");
        assert.deepEqual(stage.sent(2).results, stage.sent(1).results);
      });
    }
  });
}
