import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe } from "node:test";
import { NO_CLAUDE_CODE } from "./claude_code.ts";
import { checkResult, createPrompt, testWithFolders, TOOLS } from "./testbed.ts";
import { toReturned } from "../kit/reasoning.ts";
import { ROUTES, setUpTestbed } from "../kit/testbed.ts";
import { call, reply, type Thinking } from "../../kit/model/turns.ts";

/** The thinking of three turns of one prompt; the second is also encrypted. */
const THOUGHTS: [Thinking, Thinking, Thinking] = [
  { pieces: ["I must read", " it first 🙂"], signature: "EokHCmUIDxgCKkBX0fNi" },
  { pieces: ["Now", " count"], signature: "EqMDCkYIBRgCKkA9fQ==", sealed: "gAAAAABpQ2VjcmV0LTI=" },
  { pieces: ["That", " is all"], signature: "ErUBCkYIBRgCIkD5x/0=" },
];

describe("Claude Code, thinking with tools", { skip: NO_CLAUDE_CODE }, () => {
  const testbed = setUpTestbed();

  for (const route of ROUTES) {
    const prompt = createPrompt(testbed, route);

    testWithFolders(`over three turns, and after --continue, ${route.name}`, async (folders) => {
      const file_path = join(folders.work, "lines.txt");
      await writeFile(file_path, "one\ntwo\n");
      const count = { command: "wc -l < lines.txt", description: "Count the lines" };
      testbed.upstream.script(
        reply({
          thinking: THOUGHTS[0],
          text: ["I look."],
          tools: [call(route.ids[0], "Read", { file_path })],
        }),
        reply({ thinking: THOUGHTS[1], tools: [call(route.ids[1], "Bash", count)] }),
        reply({ thinking: THOUGHTS[2], text: ["Two lines."] }),
        reply({ text: ["Nothing more."] }),
      );
      checkResult((await prompt(folders, "Count the lines", ...TOOLS)).result, "Two lines.");
      checkResult((await prompt(folders, "Is that all?", "--continue", ...TOOLS)).result, "Nothing more.");

      const back = THOUGHTS.map((thinking) => toReturned(thinking, route));
      for (const turn of [0, 1, 2, 3]) {
        assert.deepEqual(testbed.sent(turn).reasoning, back.slice(0, turn), `request ${turn}`);
      }
      assert.deepEqual(testbed.sent(3).results.map(({ id }) => id), route.ids);
      assert.match(testbed.sent(3).user, /Count the lines[^]*Is that all\?/);
    });
  }
});
