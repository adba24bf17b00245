import assert from "node:assert/strict";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testAtDesk } from "./stage.ts";
import { CITIES, WEATHER, WEATHER_INPUT } from "../kit/scenarios.ts";
import { ROADS, setStage } from "../kit/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

const NAME = "mcp__station__weather";

const SERVERS = JSON.stringify({
  mcpServers: {
    station: {
      command: process.execPath,
      args: [
        "--import",
        import.meta.resolve("tsx"),
        fileURLToPath(new URL("../mcp/server.ts", import.meta.url)),
      ],
    },
  },
});

describe("Claude Code, a server of tools beside it", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const prompt = createPrompt(stage, road);
    const [one, two] = road.ids;

    testAtDesk(`its tool is loaded, called and answers, ${road.name}`, async (desk) => {
      stage.upstream.script(
        say({ tools: [call(one, "ToolSearch", { query: `select:${NAME}` })] }),
        say({ tools: [call(two, NAME, CITIES[0])] }),
        say({ tools: [call("call_3", NAME, CITIES[1])] }),
        say({ text: ["It rains in Zürich."] }),
      );
      const args = ["--mcp-config", SERVERS, "--strict-mcp-config", "--allowedTools", NAME];
      checkResult((await prompt(desk, "How is the weather?", ...args)).result, "It rains in Zürich.");

      const { tools, schemas, calls, results } = stage.sent(3);
      assert.deepEqual(schemas[tools.indexOf(NAME)], WEATHER_INPUT);
      assert.deepEqual(calls.slice(1), [
        { id: two, name: NAME, input: CITIES[0] },
        { id: "call_3", name: NAME, input: CITIES[1] },
      ]);
      assert.deepEqual(results.map(({ id }) => id), [one, two, "call_3"]);
      assert.equal(results[1]?.text, WEATHER[0]);
      // It failed, which a chat completion can only say in words.
      assert.ok(results[2]?.text.endsWith(WEATHER[1]));
    });
  }
});
