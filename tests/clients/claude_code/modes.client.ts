import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders } from "./testbed.ts";
import { greeting, TEXT } from "../kit/scenarios.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, reply } from "../../kit/model/turns.ts";

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "array", items: { type: "number" } } },
  required: ["city", "days"],
  additionalProperties: false,
};

describe("Claude Code, its modes", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const prompt = createPrompt(testbed, route);
    const [one, two] = route.ids;

    testWithFolders(
      `--json-schema has its tool called until the object is right, ${route.name}`,
      async (folders) => {
        const report = { city: "Zürich", days: [12, 14.5] };
        testbed.upstream.script(
          reply({ tools: [call(one, "StructuredOutput", { city: "Zürich" })] }),
          reply({ tools: [call(two, "StructuredOutput", report)] }),
        );
        const { result } = await prompt(folders, "Report", "--json-schema", JSON.stringify(SCHEMA));
        checkResult(result, JSON.stringify(report));
        assert.deepEqual(result.structured_output, report);
        const { tools, schemas, results, calls } = testbed.sent(1);
        assert.deepEqual(schemas[tools.indexOf("StructuredOutput")], SCHEMA);
        assert.deepEqual(calls, [{ id: one, name: "StructuredOutput", input: { city: "Zürich" } }]);
        assert.match(results[0]?.text ?? "", /days/);
      },
    );

    testWithFolders(`--bare, whose system message is empty, ${route.name}`, async (folders) => {
      testbed.upstream.script(greeting);
      checkResult((await prompt(folders, "Greet me", "--bare")).result, TEXT);
      assert.deepEqual(testbed.sent().tools, ["Bash", "Edit", "Read"]);
      const { messages } = Body.parse(testbed.upstream.received[0]?.body);
      const empty = messages.filter(({ content }) => Array.isArray(content) && content.length === 0);
      // Anthropic accepts such a message, and its effort; others would refuse it.
      assert.deepEqual(empty.map(({ role }) => role), route.name === "native" ? ["system"] : []);
    });

    testWithFolders(
      `--permission-mode plan sends its safeguards only to an upstream that may judge, ${route.name}`,
      async (folders) => {
        testbed.upstream.script(greeting);
        checkResult((await prompt(folders, "Greet me", "--permission-mode", "plan")).result, TEXT);
        const native = route.name === "native";
        if (!native) await testbed.wrote(/"safeguards dropped"/);
        const [received] = testbed.upstream.received;
        const body = Body.parse(received?.body);
        assert.equal("safeguards" in body, native);
        const words = JSON.stringify(body);
        for (const secret of ["classifier_context", "live_cwd", "rule_roots"]) {
          assert.equal(words.includes(secret), native, secret);
        }
        assert.ok(!words.includes("device_id"), "the upstream was told of the device");
        assert.equal(/dangerous-tool-use/.test(String(received?.headers["anthropic-beta"])), native);
      },
    );
  }
});

const Body = z.looseObject({ messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })) });
