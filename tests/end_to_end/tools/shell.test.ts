import assert from "node:assert/strict";
import { test } from "node:test";
import { ROADS } from "./model.ts";
import { playTurns } from "./play.ts";
import { COMMANDS, VAIN, whyNoCommand } from "./shell.ts";
import { withDoor } from "./stage.ts";

const skip = await whyNoCommand();
if (skip !== undefined) console.log(`commands through the API: skipped, for ${skip}`);

for (const road of ROADS) {
  for (const streamed of [false, true]) {
    test(
      `the API runs commands, ${road.name}, ${streamed ? "streamed" : "whole"}`,
      { skip },
      () =>
        withDoor({ TOOLS: "shell" }, async (door) => {
          await playTurns(door, [COMMANDS, VAIN], { road, streamed });
          assert.equal(door.read("hum.txt"), "zum zum\n");
        }),
    );
  }
}
