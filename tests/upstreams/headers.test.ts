import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/ask.ts";
import { createUpstream } from "../kit/upstream.ts";

test("the upstream's list of models is asked for with the key alone", async () => {
  const upstream = createUpstream({
    lists: true,
    body: '{"data":[{"id":"acme/talker-1"}]}',
    headers: { "content-type": "application/json" },
  });
  const headers = {
    "x-api-key": "sk-client",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a-2026-01-01",
  };
  const request = new Request("http://gateway.test/v1/models", { headers });
  const response = await createTestGateway({ fetch: upstream.fetch }).fetch(request);

  assert.equal(response.status, 200);
  const [sent] = upstream.sent;
  assert.equal(sent?.url, "https://openrouter.ai/api/v1/models");
  assert.equal(sent?.headers.get("authorization"), "Bearer sk-or-test");
  for (const name of ["x-api-key", "anthropic-version", "anthropic-beta"]) {
    assert.equal(sent?.headers.get(name), null, name);
  }
});
