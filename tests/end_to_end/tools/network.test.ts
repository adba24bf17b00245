import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, say } from "../../clients/turns.ts";
import { dig, objects } from "../../kit/json.ts";
import { CERTIFICATE, KEY } from "../../kit/tls.ts";
import { serve } from "../../kit/web.ts";
import { ROADS, SMALL, toText, TRANSLATED } from "./model.ts";
import { answerAside, isSearch, startWeb, toWebPlays, toWebSettings } from "./network.ts";
import { playTurns } from "./play.ts";
import { readAll, withDoor, WORKSPACE } from "./stage.ts";

const web = await startWeb();
after(() => web.close());

/** For tests that wait for a request, which may never come. */
const WAITING = { timeout: 30_000 };

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

test(
  "TOOL_TIMEOUT ends a call that takes too long, and the message goes on",
  WAITING,
  () =>
    withDoor({ TOOLS: "network", TOOL_TIMEOUT: "12", ...toWebSettings(web, "searxng") }, async (door) => {
      const url = `http://${web.host}/slow`;
      door.model.script(say({ tools: [call("call_1", "WebFetch", { url })] }), say({ text: ["Too slow."] }));
      const arrived = web.next("/slow");
      const answer = door.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
      const { left } = await arrived;
      door.clock.advance(12_000);
      const { status, body } = await answer;
      assert.equal(status, 200);
      const [use, result, last] = objects(body.content);
      assert.deepEqual([use?.type, last?.text], ["mcp_tool_use", "Too slow."]);
      assert.equal(result?.is_error, true);
      assert.equal(toText(result?.content), "Cannot finish WebFetch: it took longer than 12 s");
      await left;
      const { tool_execution } = await door.get("/tool-metrics");
      assert.deepEqual(dig(tool_execution, "metrics", "error_breakdown"), { timeout: 1 });
      assert.equal(dig(tool_execution, "metrics", "average_execution_times", "WebFetch"), 12);
    }),
);

test(
  "a client that leaves stops the tool that is at work",
  WAITING,
  () =>
    withDoor({ TOOLS: "network", ...toWebSettings(web, "searxng") }, async (door) => {
      const url = `http://${web.host}/slow`;
      door.model.script(say({ text: ["I look."], tools: [call("call_1", "WebFetch", { url })] }));
      const arrived = web.next("/slow");
      const response = await door.send({ model: TRANSLATED.model, tools: [WORKSPACE], stream: true });
      const reader = response.body?.getReader();
      assert.ok(reader);
      const reading = readAll(reader);
      const { left } = await arrived;
      await reader.cancel();
      await Promise.all([left, reading]);
      const { tool_execution } = await door.get("/tool-metrics");
      assert.deepEqual(dig(tool_execution, "metrics", "error_breakdown"), { cancelled: 1 });
      assert.equal(door.model.asked.length, 1);
    }),
);

test("a host of the owner's own network is found by its name", () => {
  const host = `localhost:${web.port}`;
  return withDoor({ TOOLS: "network", WEB_FETCH_ALLOW_HOSTS: host }, async (door) => {
    const fetched = call("call_1", "WebFetch", { url: `http://${host}/bees` });
    door.model.script(say({ tools: [fetched] }), say({ text: ["Yes."] }));
    const { body } = await door.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
    assert.match(toText(objects(body.content)[1]?.content), /figure of eight/);
  });
});

test("a certificate that nobody vouches for is looked at, and refused", async () => {
  const secure = await serve((_request, response) => void response.end("secret"), {
    cert: CERTIFICATE,
    key: KEY,
  });
  try {
    await withDoor({ TOOLS: "network", WEB_FETCH_ALLOW_HOSTS: secure.host }, async (door) => {
      const url = `https://${secure.host}/`;
      door.model.script(say({ tools: [call("call_1", "WebFetch", { url })] }), say({ text: ["No."] }));
      const { body } = await door.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
      const [, result] = objects(body.content);
      assert.match(toText(result?.content), /certificate/);
      assert.equal(result?.is_error, true);
    });
    assert.deepEqual(secure.asked, []);
  } finally {
    await secure.close();
  }
});
