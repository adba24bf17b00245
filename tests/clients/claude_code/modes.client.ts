import assert from "node:assert/strict";
import { describe } from "node:test";
import { z } from "zod";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testAtDesk } from "./stage.ts";
import { greeting, TEXT } from "../kit/scenarios.ts";
import { ROADS, setStage } from "../kit/stage.ts";
import { call, say } from "../../kit/model/turns.ts";

const SCHEMA = {
  type: "object",
  properties: { city: { type: "string" }, days: { type: "array", items: { type: "number" } } },
  required: ["city", "days"],
  additionalProperties: false,
};

describe("Claude Code, its modes", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const prompt = createPrompt(stage, road);
    const [one, two] = road.ids;

    testAtDesk(`--json-schema has its tool called until the object is right, ${road.name}`, async (desk) => {
      const report = { city: "Zürich", days: [12, 14.5] };
      stage.upstream.script(
        say({ tools: [call(one, "StructuredOutput", { city: "Zürich" })] }),
        say({ tools: [call(two, "StructuredOutput", report)] }),
      );
      const { result } = await prompt(desk, "Report", "--json-schema", JSON.stringify(SCHEMA));
      checkResult(result, JSON.stringify(report));
      assert.deepEqual(result.structured_output, report);
      const { tools, schemas, results, calls } = stage.sent(1);
      assert.deepEqual(schemas[tools.indexOf("StructuredOutput")], SCHEMA);
      assert.deepEqual(calls, [{ id: one, name: "StructuredOutput", input: { city: "Zürich" } }]);
      assert.match(results[0]?.text ?? "", /days/);
    });

    testAtDesk(`--bare, whose system message is empty, ${road.name}`, async (desk) => {
      stage.upstream.script(greeting);
      checkResult((await prompt(desk, "Greet me", "--bare")).result, TEXT);
      assert.deepEqual(stage.sent().tools, ["Bash", "Edit", "Read"]);
      const { messages } = Body.parse(stage.upstream.asked[0]?.body);
      const empty = messages.filter(({ content }) => Array.isArray(content) && content.length === 0);
      // Anthropic knows such a message, and its effort; others would refuse it.
      assert.deepEqual(empty.map(({ role }) => role), road.name === "native" ? ["system"] : []);
    });

    testAtDesk(
      `--permission-mode plan sends its safeguards only to an upstream that may judge, ${road.name}`,
      async (desk) => {
        stage.upstream.script(greeting);
        checkResult((await prompt(desk, "Greet me", "--permission-mode", "plan")).result, TEXT);
        const native = road.name === "native";
        if (!native) await stage.wrote(/"safeguards dropped"/);
        const [asked] = stage.upstream.asked;
        const body = Body.parse(asked?.body);
        assert.equal("safeguards" in body, native);
        const words = JSON.stringify(body);
        for (const secret of ["classifier_context", "live_cwd", "rule_roots"]) {
          assert.equal(words.includes(secret), native, secret);
        }
        assert.ok(!words.includes("device_id"), "the upstream was told of the device");
        assert.equal(/dangerous-tool-use/.test(String(asked?.headers["anthropic-beta"])), native);
      },
    );
  }
});

const Body = z.looseObject({ messages: z.array(z.looseObject({ role: z.string(), content: z.unknown() })) });
