import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, streamText } from "ai";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../../end_to_end/tools/network.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, ROADS, test, TRANSLATED } from "../kit/stage.ts";
import { setToolStage } from "../tools/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

// It warns of ids it does not know with every call; all of them are strange to it here.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

describe("@ai-sdk/anthropic, the gateway's tools", { skip: NO_OWN_GATEWAY }, () => {
  const stage = setToolStage();
  const connect = (headers: Record<string, string> = {}) =>
    createAnthropic({ baseURL: `${stage.url}/v1`, apiKey: CLIENT_KEY, headers });

  for (const streamed of [false, true]) {
    const how = streamed ? "streamText" : "generateText";

    for (const road of ROADS) {
      // It has no words for a toolset, but headers, and knows the blocks of servers of tools.
      test(`${how}() shows a tool that the gateway ran as one that is done, and goes on, ${road.name}`, async () => {
        stage.put("hive.txt", "queen\n");
        const input = { file_path: "hive.txt" };
        stage.upstream.script(
          say({ text: ["I look."], tools: [call(road.ids[0], "Read", input)] }),
          say({ text: ["A queen."] }),
        );
        const model = connect({ "x-gateway-tools": "Read" })(road.model);
        const options = { model, prompt: "Look", maxRetries: 0 };
        const result = streamed ? streamText(options) : await generateText(options);
        const content = await result.content;
        assert.deepEqual(content.map(({ type }) => type), ["text", "tool-call", "tool-result", "text"]);
        const [, made, came] = content;
        assert.ok(made?.type === "tool-call" && came?.type === "tool-result");
        assert.deepEqual([made.toolName, made.input, made.providerExecuted], ["Read", input, true]);
        assert.equal(came.toolCallId, made.toolCallId);
        assert.deepEqual(came.output, [{ type: "text", text: "     1\tqueen" }]);
        assert.equal(await result.finishReason, "stop");
        assert.equal((await result.usage).outputTokens, 14);

        stage.upstream.script(say({ text: ["Gladly."] }));
        const { messages: said } = await result.response;
        const messages = [{ role: "user" as const, content: "Look" }, ...said, {
          role: "user" as const,
          content: "Thanks",
        }];
        assert.equal((await generateText({ model, messages, maxRetries: 0 })).text, "Gladly.");
        assert.deepEqual(stage.sent(2).results, stage.sent(1).results);
        assert.deepEqual(stage.sent(2).calls, [{ id: road.ids[0], name: "Read", input }]);
      });
    }

    test(`${how}() gives the sources of a search that the gateway ran, and goes on`, async () => {
      stage.upstream.script(
        say({ tools: [call(TRANSLATED.ids[0], "web_search", { query: "bees" })] }),
        say({ text: ["Bees dance", ". [[1.1", "]]", " Indeed."] }),
      );
      const anthropic = connect();
      const options = {
        model: anthropic(TRANSLATED.model),
        tools: { web_search: anthropic.tools.webSearch_20250305({ maxUses: 2 }) },
        maxRetries: 0,
      };
      const question = { role: "user" as const, content: "How do bees dance?" };
      const first = { ...options, messages: [question] };
      const result = streamed ? streamText(first) : await generateText(first);
      assert.equal(await result.text, "Bees dance. Indeed.");
      const urls = (await result.sources).map((source) => source.sourceType === "url" ? source.url : "");
      const [dance, clover] = HITS;
      // Each page that was found, and the one that was cited.
      assert.deepEqual(urls, [dance?.url, clover?.url, stage.web.page, dance?.url]);

      stage.upstream.script(say({ text: ["Gladly."] }));
      const { messages: said } = await result.response;
      const messages = [question, ...said, { role: "user" as const, content: "Thanks" }];
      assert.equal((await generateText({ ...options, messages })).text, "Gladly.");
      assert.deepEqual(stage.sent(2).results, stage.sent(1).results);
    });
  }
});
