import assert from "node:assert/strict";
import { test } from "node:test";
import { createTestGateway } from "../kit/gateway.ts";
import { FakeUpstream } from "../kit/upstream.ts";

test("GET /v1/models sends only the key of the client's headers to the upstream", async () => {
  const upstream = new FakeUpstream({}, { models: '{"data":[{"id":"acme/talker-1"}]}' });
  const headers = {
    "x-api-key": "sk-client",
    "anthropic-version": "2023-06-01",
    "anthropic-beta": "a-2026-01-01",
  };
  const response = await createTestGateway({ upstream }).get("/v1/models", headers);

  assert.equal(response.status, 200);
  const [sent] = upstream.listRequests;
  assert.equal(sent?.url, "https://openrouter.ai/api/v1/models");
  assert.equal(sent?.headers.get("authorization"), "Bearer sk-or-test");
  for (const name of ["x-api-key", "anthropic-version", "anthropic-beta"]) {
    assert.equal(sent?.headers.get(name), null, name);
  }
});
