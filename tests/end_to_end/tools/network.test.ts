import assert from "node:assert/strict";
import { after, test } from "node:test";
import { call, reply } from "../../kit/model/turns.ts";
import { MODEL_APIS, SMALL, toText, TRANSLATED } from "./model.ts";
import { answerSideRequest, isSearch, startWeb, toWebCalls, toWebSettings } from "./network.ts";
import { runCalls } from "./run_calls.ts";
import { readAll, withToolGateway, WORKSPACE } from "./tool_gateway.ts";
import { dig, objects } from "../../kit/json.ts";
import { CERTIFICATE, KEY } from "../../kit/servers/tls.ts";
import { serve } from "../../kit/servers/web.ts";

const web = await startWeb();
after(() => web.close());

/** Timeout of tests that wait for a request, which may never arrive. */
const WAITING = { timeout: 30_000 };

for (const api of MODEL_APIS) {
  for (const streamed of [false, true]) {
    for (const by of ["searxng", "openrouter"] as const) {
      test(`TOOLS=network reaches the web with WEB_SEARCH=${by}, ${api.name}, ${streamed ? "streamed" : "whole"}`, () =>
        withToolGateway({ TOOLS: "network", ...toWebSettings(web, by) }, async (gateway) => {
          gateway.model.choose(answerSideRequest);
          await runCalls(gateway, [toWebCalls(web)], { api, streamed });
          const searches = gateway.model.requests.filter(isSearch);
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
  "TOOL_TIMEOUT ends a call, and the message continues",
  WAITING,
  () =>
    withToolGateway(
      { TOOLS: "network", TOOL_TIMEOUT: "12", ...toWebSettings(web, "searxng") },
      async (gateway) => {
        const url = `http://${web.host}/slow`;
        gateway.model.script(
          reply({ tools: [call("call_1", "WebFetch", { url })] }),
          reply({ text: ["Too slow."] }),
        );
        const arrived = web.next("/slow");
        const answer = gateway.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
        const { left } = await arrived;
        gateway.clock.advance(12_000);
        const { status, body } = await answer;
        assert.equal(status, 200);
        const [use, result, last] = objects(body.content);
        assert.deepEqual([use?.type, last?.text], ["mcp_tool_use", "Too slow."]);
        assert.equal(result?.is_error, true);
        assert.equal(toText(result?.content), "Cannot finish WebFetch: it took longer than 12 s");
        await left;
        const { tool_execution } = await gateway.get("/tool-metrics");
        assert.deepEqual(dig(tool_execution, "metrics", "error_breakdown"), { timeout: 1 });
        assert.equal(dig(tool_execution, "metrics", "average_execution_times", "WebFetch"), 12);
      },
    ),
);

test(
  "POST /v1/messages stops the running tool when the client disconnects",
  WAITING,
  () =>
    withToolGateway({ TOOLS: "network", ...toWebSettings(web, "searxng") }, async (gateway) => {
      const url = `http://${web.host}/slow`;
      gateway.model.script(reply({ text: ["I look."], tools: [call("call_1", "WebFetch", { url })] }));
      const arrived = web.next("/slow");
      const response = await gateway.send({ model: TRANSLATED.model, tools: [WORKSPACE], stream: true });
      const reader = response.body?.getReader();
      assert.ok(reader);
      const reading = readAll(reader);
      const { left } = await arrived;
      await reader.cancel();
      await Promise.all([left, reading]);
      const { tool_execution } = await gateway.get("/tool-metrics");
      assert.deepEqual(dig(tool_execution, "metrics", "error_breakdown"), { cancelled: 1 });
      assert.equal(gateway.model.requests.length, 1);
    }),
);

test("WEB_FETCH_ALLOW_HOSTS allows a host of the operator's network by name", () => {
  const host = `localhost:${web.port}`;
  return withToolGateway({ TOOLS: "network", WEB_FETCH_ALLOW_HOSTS: host }, async (gateway) => {
    const fetched = call("call_1", "WebFetch", { url: `http://${host}/bees` });
    gateway.model.script(reply({ tools: [fetched] }), reply({ text: ["Yes."] }));
    const { body } = await gateway.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
    assert.match(toText(objects(body.content)[1]?.content), /figure of eight/);
  });
});

test("WebFetch rejects an untrusted certificate", async () => {
  const secure = await serve((_request, response) => void response.end("secret"), {
    cert: CERTIFICATE,
    key: KEY,
  });
  try {
    await withToolGateway({ TOOLS: "network", WEB_FETCH_ALLOW_HOSTS: secure.host }, async (gateway) => {
      const url = `https://${secure.host}/`;
      gateway.model.script(reply({ tools: [call("call_1", "WebFetch", { url })] }), reply({ text: ["No."] }));
      const { body } = await gateway.ask({ model: TRANSLATED.model, tools: [WORKSPACE] });
      const [, result] = objects(body.content);
      assert.match(toText(result?.content), /certificate/);
      assert.equal(result?.is_error, true);
    });
    assert.deepEqual(secure.paths, []);
  } finally {
    await secure.close();
  }
});
