import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders } from "./testbed.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { reply, tooLong } from "../../kit/model/turns.ts";

describe("Claude Code, a conversation that outgrows the window", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const prompt = createPrompt(testbed, route);

    testWithFolders(`is summed up and goes on, ${route.name}`, async (folders) => {
      const thinking = { pieces: ["It is", " the first"], signature: "EokHCmUIDxgCKkBX0fNi" };
      testbed.upstream.script(
        reply({ thinking, text: ["The first answer."] }),
        tooLong(140_000, 131_072),
        reply({ text: ["<summary>The user has asked a first question.</summary>"] }),
        reply({ text: ["The second answer."] }),
      );
      checkResult((await prompt(folders, "A first question")).result, "The first answer.");
      checkResult((await prompt(folders, "A second question", "--continue")).result, "The second answer.");

      const [, refused, summary, again] = testbed.upstream.received.map((_, at) => testbed.sent(at));
      assert.match(refused?.user ?? "", /A first question[^]*A second question/);
      assert.match(summary?.user ?? "", /provide your summary/);
      assert.match(
        again?.user ?? "",
        /Summary:\nThe user has asked a first question\.[^]*A second question/,
      );
      assert.doesNotMatch(again?.user ?? "", /A first question/);
      assert.deepEqual(again?.reasoning.flat(), []);
      assert.equal(again?.session, refused?.session);
    });
  }
});
