import assert from "node:assert/strict";
import { describe } from "node:test";
import Anthropic from "@anthropic-ai/sdk";
import { betaTool } from "@anthropic-ai/sdk/helpers/beta/json-schema";
import { CLIENT_KEY, ROADS, setStage, test } from "../kit/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

const SCHEMA = { type: "object", properties: { city: { type: "string" } }, required: ["city"] } as const;

/** A tool that answers with its name. */
function tool(name: string) {
  return betaTool({ name, description: name, inputSchema: SCHEMA, run: () => `${name} ran` });
}

describe("@anthropic-ai/sdk 1.x, changes of tools", () => {
  const stage = setStage();

  for (const road of ROADS) {
    test(`toolRunner.addTools() and removeTools() change what the model is offered, ${road.name}`, async () => {
      const [one, two] = road.ids;
      stage.upstream.script(
        say({ tools: [call(one, "weather", { city: "Zürich" })] }),
        say({ tools: [call(two, "trains", { city: "Zürich" })] }),
        say({ text: ["Done."] }),
      );
      const client = new Anthropic({
        baseURL: stage.url,
        apiKey: CLIENT_KEY,
        authToken: null,
        maxRetries: 0,
      });
      const runner = client.beta.messages.toolRunner({
        model: road.model,
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
      assert.deepEqual(stage.sent(0).tools, ["weather", "news"]);
      if (road.name === "translated") {
        assert.deepEqual(stage.sent(1).tools, ["weather", "trains"]);
        assert.deepEqual(stage.sent(2).tools, ["weather", "trains"]);
      } else {
        assert.match(
          JSON.stringify(stage.upstream.asked[1]?.body),
          /"tool_addition".*"trains".*"tool_removal"/,
        );
      }
      assert.deepEqual(stage.sent(2).results.map(({ text }) => text), ["weather ran", "trains ran"]);
    });
  }
});
