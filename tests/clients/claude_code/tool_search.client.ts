import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { NO_CLAUDE_CODE, parseResult, runClaudeCode } from "./claude_code.ts";
import { checkResult, testWithFolders, WAYS } from "./testbed.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

describe("Claude Code, tools that it loads when they are sought", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const [one, two] = route.ids;

    testWithFolders(
      `a tool is found, offered to the upstream, and called, ${route.name}`,
      async (folders) => {
        testbed.upstream.script(
          reply({ tools: [call(one, "ToolSearch", { query: "select:WebFetch" })] }),
          reply({
            tools: [call(two, "WebFetch", { url: "https://example.invalid/", prompt: "What does it say?" })],
          }),
          reply({ text: ["It says nothing."] }),
        );
        const args = [
          "-p",
          "Find a tool and use it",
          "--output-format",
          "json",
          "--allowedTools",
          "WebFetch",
        ];
        const run = await runClaudeCode({
          url: testbed.url,
          folders,
          args: [...args, ...WAYS[route.name].args],
        });
        checkResult(parseResult(run), "It says nothing.");
        // It asks whether the page is safe to fetch, and no user answers.
        assert.deepEqual(run.sought, ["api.anthropic.com:443"]);
        for (const { path } of testbed.upstream.received) assert.equal(path, route.path);

        assert.ok(!testbed.sent(0).tools.includes("WebFetch"));
        for (const turn of [1, 2]) {
          assert.deepEqual(testbed.sent(turn).tools.filter((name) => name === "WebFetch"), ["WebFetch"]);
          assert.match(testbed.sent(turn).results[0]?.text ?? "", /WebFetch/);
        }
        const schema = testbed.sent(1).schemas[testbed.sent(1).tools.indexOf("WebFetch")];
        assert.deepEqual(Object.keys(Schema.parse(schema).properties), ["url", "prompt", "offset"]);
        const { calls, results } = testbed.sent(2);
        assert.deepEqual(calls.map(({ id, name }) => [id, name]), [[one, "ToolSearch"], [two, "WebFetch"]]);
        assert.deepEqual(results.map(({ id }) => id), [one, two]);
        assert.match(results[1]?.text ?? "", /Unable to verify/);
        // Only Anthropic has tools that are not loaded yet, and fields for them.
        const body = JSON.stringify(testbed.upstream.received[2]?.body);
        for (const words of ["defer_loading", "tool_reference", "DeferredToolPlaceholder"]) {
          assert.equal(body.includes(words), route.name === "native", words);
        }
      },
    );
  }
});

const Schema = z.looseObject({ properties: z.record(z.string(), z.unknown()) });
