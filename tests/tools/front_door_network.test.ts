import assert from "node:assert/strict";
import { after, test } from "node:test";
import { objects } from "../support/json.ts";
import { ROADS, SMALL } from "./door/model.ts";
import { answerAside, isSearch, startWeb, toWebPlays, toWebSettings } from "./door/network.ts";
import { playTurns } from "./door/play.ts";
import { withDoor } from "./door/stage.ts";

const web = await startWeb();
after(() => web.close());

for (const road of ROADS) {
  for (const streamed of [false, true]) {
    for (const by of ["searxng", "openrouter"] as const) {
      test(`the API reaches the web by ${by}, ${road.name}, ${streamed ? "streamed" : "whole"}`, () =>
        withDoor({ TOOLS: "network", ...toWebSettings(web, by) }, async (door) => {
          door.model.choose(answerAside);
          await playTurns(door, [toWebPlays(web)], { road, streamed });
          const searches = door.model.asked.filter(isSearch);
          if (by === "searxng") {
            assert.equal(web.searched().at(-1), "how do bees dance");
            assert.deepEqual(searches, []);
          } else {
            assert.equal(searches.length, 1);
            assert.equal(searches[0]?.body.model, SMALL);
            assert.match(JSON.stringify(objects(searches[0]?.body.messages)), /how do bees dance/);
          }
        }));
    }
  }
}
