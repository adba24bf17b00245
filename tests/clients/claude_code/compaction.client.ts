import assert from "node:assert/strict";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testAtDesk } from "./stage.ts";
import { ROADS, setStage } from "../kit/stage.ts";
import { say, tooLong } from "../../kit/model/turns.ts";

describe("Claude Code, a conversation that outgrows the window", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const prompt = createPrompt(stage, road);

    testAtDesk(`is summed up and goes on, ${road.name}`, async (desk) => {
      const thinking = { pieces: ["It is", " the first"], signature: "EokHCmUIDxgCKkBX0fNi" };
      stage.upstream.script(
        say({ thinking, text: ["The first answer."] }),
        tooLong(140_000, 131_072),
        say({ text: ["<summary>The user has asked a first question.</summary>"] }),
        say({ text: ["The second answer."] }),
      );
      checkResult((await prompt(desk, "A first question")).result, "The first answer.");
      checkResult((await prompt(desk, "A second question", "--continue")).result, "The second answer.");

      const [, refused, summary, again] = stage.upstream.asked.map((_, at) => stage.sent(at));
      assert.match(refused?.user ?? "", /A first question[^]*A second question/);
      assert.match(summary?.user ?? "", /provide your summary/);
      assert.match(again?.user ?? "", /Summary:\nThe user has asked a first question\.[^]*A second question/);
      assert.doesNotMatch(again?.user ?? "", /A first question/);
      assert.deepEqual(again?.reasoning.flat(), []);
      assert.equal(again?.session, refused?.session);
    });
  }
});
