import assert from "node:assert/strict";
import { test } from "node:test";
import { checkWritten, FORBIDDEN, layFiles, PIXEL, READING, WRITING } from "./files.ts";
import { ROADS } from "./model.ts";
import { playTurns } from "./play.ts";
import { withDoor } from "./stage.ts";

for (const road of ROADS) {
  for (const streamed of [false, true]) {
    const how = `${road.name}, ${streamed ? "streamed" : "whole"}`;

    test(`the API reads files, ${how}`, () =>
      withDoor({ TOOLS: "files-read" }, async (door) => {
        layFiles(door);
        await playTurns(door, [READING, FORBIDDEN], { road, streamed });
        // What the client is told of, the model is shown.
        assert.ok(JSON.stringify(door.model.asked.at(-1)?.body).includes(PIXEL));
      }));

    test(`the API writes files, ${how}`, () =>
      withDoor({ TOOLS: "files-read,files-write" }, async (door) => {
        layFiles(door);
        await playTurns(door, [READING, WRITING], { road, streamed });
        checkWritten(door);
      }));
  }
}
