import { createAnthropic } from "@ai-sdk/anthropic";
import { generateText, streamText } from "ai";
import assert from "node:assert/strict";
import { describe } from "node:test";
import { HITS } from "../../end_to_end/tools/network.ts";
import { CLIENT_KEY, NO_OWN_GATEWAY, ROUTES, test, TRANSLATED } from "../kit/testbed.ts";
import { setToolStage } from "../tools/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

// It warns at every call of a model id that it does not know. It knows none of these.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

describe("@ai-sdk/anthropic, the gateway's tools", { skip: NO_OWN_GATEWAY }, () => {
  const testbed = setToolStage();
  const connect = (headers: Record<string, string> = {}) =>
    createAnthropic({ baseURL: `${testbed.url}/v1`, apiKey: CLIENT_KEY, headers });

  for (const streamed of [false, true]) {
    const how = streamed ? "streamText" : "generateText";

    for (const route of ROUTES) {
      // It has no parameters for a toolset, but headers, and knows the blocks of MCP servers.
      test(`${how}() shows a tool that the gateway ran as one that is done, and goes on, ${route.name}`, async () => {
        testbed.put("hive.txt", "queen\n");
        const input = { file_path: "hive.txt" };
        testbed.upstream.script(
          reply({ text: ["I look."], tools: [call(route.ids[0], "Read", input)] }),
          reply({ text: ["A queen."] }),
        );
        const model = connect({ "x-gateway-tools": "Read" })(route.model);
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

        testbed.upstream.script(reply({ text: ["Gladly."] }));
        const { messages: said } = await result.response;
        const messages = [{ role: "user" as const, content: "Look" }, ...said, {
          role: "user" as const,
          content: "Thanks",
        }];
        assert.equal((await generateText({ model, messages, maxRetries: 0 })).text, "Gladly.");
        assert.deepEqual(testbed.sent(2).results, testbed.sent(1).results);
        assert.deepEqual(testbed.sent(2).calls, [{ id: route.ids[0], name: "Read", input }]);
      });
    }

    test(`${how}() gives the sources of a search that the gateway ran, and goes on`, async () => {
      testbed.upstream.script(
        reply({ tools: [call(TRANSLATED.ids[0], "web_search", { query: "bees" })] }),
        reply({ text: ["Bees dance", ". [[1.1", "]]", " Indeed."] }),
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
      assert.deepEqual(urls, [dance?.url, clover?.url, testbed.web.page, dance?.url]);

      testbed.upstream.script(reply({ text: ["Gladly."] }));
      const { messages: said } = await result.response;
      const messages = [question, ...said, { role: "user" as const, content: "Thanks" }];
      assert.equal((await generateText({ ...options, messages })).text, "Gladly.");
      assert.deepEqual(testbed.sent(2).results, testbed.sent(1).results);
    });
  }
});
