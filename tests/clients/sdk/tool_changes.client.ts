import assert from "node:assert/strict";
import { describe } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { CLIENT_KEY, ROUTES, setUpTestbed, test } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as const;

/** A tool that answers with its name. */
function tool(name: string) {
  return betaTool({ name, description: name, inputSchema: SCHEMA, run: () => `${name} ran` });
}

describe("@anthropic-ai/sdk 1.x, changes of tools", () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    test(`toolRunner.addTools() and removeTools() change what the model is offered, ${route.name}`, async () => {
      const [one, two] = route.ids;
      testbed.upstream.script(
        reply({ tools: [call(one, "weather", { city: "Zürich" })] }),
        reply({ tools: [call(two, "trains", { city: "Zürich" })] }),
        reply({ text: ["Done."] }),
      );
      const client = new Anthropic({
        baseURL: testbed.url,
        apiKey: CLIENT_KEY,
        authToken: null,
        maxRetries: 0,
      });
      const runner = client.beta.messages.toolRunner({
        model: route.model,
        max_tokens: 1024,
        messages: [{ role: "user", content: "Go" }],
        tools: [tool("weather"), tool("news")],
        thread: false,
        betas: ["inline-tools-2026-09-15"],
      });
      let turns = 0;
      for await (const _message of runner) {
        if (turns++ > 0) continue;
        runner.addTools(tool("trains"));
        runner.removeTools("news");
      }
      assert.deepEqual(testbed.sent(0).tools, ["weather", "news"]);
      if (route.name === "translated") {
        assert.deepEqual(testbed.sent(1).tools, ["weather", "trains"]);
        assert.deepEqual(testbed.sent(2).tools, ["weather", "trains"]);
      } else {
        assert.match(
          JSON.stringify(testbed.upstream.received[1]?.body),
          /"tool_addition".*"trains".*"tool_removal"/,
        );
      }
      assert.deepEqual(testbed.sent(2).results.map(({ text }) => text), ["weather ran", "trains ran"]);
    });
  }
});
