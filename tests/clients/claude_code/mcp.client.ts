import assert from "node:assert/strict";
import { describe } from "node:test";
import { fileURLToPath } from "node:url";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders } from "./testbed.ts";
import { CITIES, WEATHER, WEATHER_INPUT } from "../kit/scenarios.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

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
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const prompt = createPrompt(testbed, route);
    const [one, two] = route.ids;

    testWithFolders(`its tool is loaded, called and answers, ${route.name}`, async (folders) => {
      testbed.upstream.script(
        reply({ tools: [call(one, "ToolSearch", { query: `select:${NAME}` })] }),
        reply({ tools: [call(two, NAME, CITIES[0])] }),
        reply({ tools: [call("call_3", NAME, CITIES[1])] }),
        reply({ text: ["It rains in Zürich."] }),
      );
      const args = ["--mcp-config", SERVERS, "--strict-mcp-config", "--allowedTools", NAME];
      checkResult((await prompt(folders, "How is the weather?", ...args)).result, "It rains in Zürich.");

      const { tools, schemas, calls, results } = testbed.sent(3);
      assert.deepEqual(schemas[tools.indexOf(NAME)], WEATHER_INPUT);
      assert.deepEqual(calls.slice(1), [
        { id: two, name: NAME, input: CITIES[0] },
        { id: "call_3", name: NAME, input: CITIES[1] },
      ]);
      assert.deepEqual(results.map(({ id }) => id), [one, two, "call_3"]);
      assert.equal(results[1]?.text, WEATHER[0]);
      // The call failed. A chat completion has only text for that.
      assert.ok(results[2]?.text.endsWith(WEATHER[1]));
    });
  }
});
