import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testAtDesk, WAYS } from "./stage.ts";
import { ROADS, setStage } from "../kit/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

describe("Claude Code, tools that it loads when they are sought", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const [one, two] = road.ids;

    testAtDesk(`a tool is found, offered to the upstream, and called, ${road.name}`, async (desk) => {
      stage.upstream.script(
        say({ tools: [call(one, "ToolSearch", { query: "select:WebFetch" })] }),
        say({
          tools: [call(two, "WebFetch", { url: "https://example.invalid/", prompt: "What does it say?" })],
        }),
        say({ text: ["It says nothing."] }),
      );
      const args = ["-p", "Find a tool and use it", "--output-format", "json", "--allowedTools", "WebFetch"];
      const run = await runClaudeCode({ url: stage.url, desk, args: [...args, ...WAYS[road.name].args] });
      checkResult(parseResult(run), "It says nothing.");
      // It asks whether the page is safe to fetch, and there is nobody to answer.
      assert.deepEqual(run.sought, ["api.anthropic.com:443"]);
      for (const { path } of stage.upstream.asked) assert.equal(path, road.path);

      assert.ok(!stage.sent(0).tools.includes("WebFetch"));
      for (const turn of [1, 2]) {
        assert.deepEqual(stage.sent(turn).tools.filter((name) => name === "WebFetch"), ["WebFetch"]);
        assert.match(stage.sent(turn).results[0]?.text ?? "", /WebFetch/);
      }
      const schema = stage.sent(1).schemas[stage.sent(1).tools.indexOf("WebFetch")];
      assert.deepEqual(Object.keys(Schema.parse(schema).properties), ["url", "prompt", "offset"]);
      const { calls, results } = stage.sent(2);
      assert.deepEqual(calls.map(({ id, name }) => [id, name]), [[one, "ToolSearch"], [two, "WebFetch"]]);
      assert.deepEqual(results.map(({ id }) => id), [one, two]);
      assert.match(results[1]?.text ?? "", /Unable to verify/);
      // Only Anthropic knows tools that are not loaded yet, and the words for it.
      const body = JSON.stringify(stage.upstream.asked[2]?.body);
      for (const words of ["defer_loading", "tool_reference", "DeferredToolPlaceholder"]) {
        assert.equal(body.includes(words), road.name === "native", words);
      }
    });
  }
});

const Schema = z.looseObject({ properties: z.record(z.string(), z.unknown()) });
