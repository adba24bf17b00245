import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testAtDesk, TOOLS } from "./stage.ts";
import { toReturned } from "../kit/reasoning.ts";
import { ROADS, setStage } from "../kit/stage.ts";
import { call, say, type Thinking } from "../../kit/model/turns.ts";

/** What the model thinks in three turns of one prompt; the second also what nobody can read. */
const THOUGHTS: [Thinking, Thinking, Thinking] = [
  { pieces: ["I must read", " it first 🙂"], signature: "EokHCmUIDxgCKkBX0fNi" },
  { pieces: ["Now", " count"], signature: "EqMDCkYIBRgCKkA9fQ==", sealed: "gAAAAABpQ2VjcmV0LTI=" },
  { pieces: ["That", " is all"], signature: "ErUBCkYIBRgCIkD5x/0=" },
];

describe("Claude Code, thinking with tools", { skip: NO_CLAUDE_CODE }, () => {
  const stage = setStage();

  for (const road of ROADS) {
    const prompt = createPrompt(stage, road);

    testAtDesk(`over three turns, and after --continue, ${road.name}`, async (desk) => {
      const file_path = join(desk.work, "lines.txt");
      await writeFile(file_path, "one\ntwo\n");
      const count = { command: "wc -l < lines.txt", description: "Count the lines" };
      stage.upstream.script(
        say({ thinking: THOUGHTS[0], text: ["I look."], tools: [call(road.ids[0], "Read", { file_path })] }),
        say({ thinking: THOUGHTS[1], tools: [call(road.ids[1], "Bash", count)] }),
        say({ thinking: THOUGHTS[2], text: ["Two lines."] }),
        say({ text: ["Nothing more."] }),
      );
      checkResult((await prompt(desk, "Count the lines", ...TOOLS)).result, "Two lines.");
      checkResult((await prompt(desk, "Is that all?", "--continue", ...TOOLS)).result, "Nothing more.");

      const back = THOUGHTS.map((thinking) => toReturned(thinking, road));
      for (const turn of [0, 1, 2, 3]) {
        assert.deepEqual(stage.sent(turn).reasoning, back.slice(0, turn), `request ${turn}`);
      }
      assert.deepEqual(stage.sent(3).results.map(({ id }) => id), road.ids);
      assert.match(stage.sent(3).user, /Count the lines[^]*Is that all\?/);
    });
  }
});
