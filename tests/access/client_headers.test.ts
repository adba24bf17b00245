import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest, UPSTREAM_APIS } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";

const HEADERS = { "anthropic-user-profile-id": "uprof_1", "anthropic-workspace-id": "wrkspc_1" };

for (const api of UPSTREAM_APIS) {
  test(`POST /v1/messages sends user profile and workspace where betas go: ${api}`, async () => {
    const { post, upstream } = createTestGateway({ upstream: { body: COMPLETE_STREAMS[api] } });
    const response = await post(minimalRequest(api), {
      headers: { "anthropic-beta": "a-2026-01-01", ...HEADERS },
    });
    const sent = upstream.requests[0]?.headers;
    const loss = response.headers.get("x-gateway-loss")?.split(",") ?? [];
    for (const [name, value] of Object.entries({ "anthropic-beta": "a-2026-01-01", ...HEADERS })) {
      assert.equal(sent?.get(name), api === "native" ? value : null, name);
      assert.equal(loss.includes(`header.${name};dropped`), api === "chat", name);
    }
  });
}

test("CORS allows the headers of Anthropic's API and of sessions", async () => {
  const gateway = createTestGateway({ settings: { CORS_ORIGINS: "https://app.test" } });
  const headers = { origin: "https://app.test", "access-control-request-method": "POST" };
  const response = await gateway.fetch(
    new Request("http://gateway.test/v1/messages", { method: "OPTIONS", headers }),
  );
  const allowed = response.headers.get("access-control-allow-headers")?.split(", ") ?? [];
  for (const name of [...Object.keys(HEADERS), "x-session-id"]) assert.ok(allowed.includes(name), name);
});

const SESSIONS: [headers: Record<string, string>, session: string | undefined][] = [
  [{ "x-claude-code-session-id": "one" }, "one"],
  [{ "x-session-id": "ses_5f2" }, "ses_5f2"],
  [{ "x-session-id": "ses_5f2", "x-claude-code-session-id": "one" }, "one"],
  [{ "x-session-id": "ses_5f2", "x-claude-code-session-id": "not one" }, "ses_5f2"],
  [{ "x-session-id": "a b" }, undefined],
  [{ "x-session-id": "x".repeat(129) }, undefined],
  [{ "x-session-affinity": "ses_5f2" }, undefined],
];

for (const [headers, session] of SESSIONS) {
  test(`the session is ${session} for ${JSON.stringify(headers).slice(0, 80)}`, async () => {
    const { post, upstream } = createTestGateway({
      upstream: { body: COMPLETE_STREAMS.chat },
      settings: { LIMITS: { session: { requests: 1 } } },
    });
    for (const [nth, status] of [200, session === undefined ? 200 : 429].entries()) {
      const response = await post(minimalRequest("chat"), { headers });
      await response.text();
      assert.equal(response.status, status, `request ${nth}`);
    }
    assert.equal(upstream.requests[0]?.body.session_id, session);
  });
}
