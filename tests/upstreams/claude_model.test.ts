import assert from "node:assert/strict";
import { test } from "node:test";
import type { Settings } from "../../lib/config/settings.ts";
import { createTestGateway } from "../kit/gateway.ts";
import { minimalRequest } from "../kit/requests/request.ts";
import { COMPLETE_STREAMS } from "../kit/streams.ts";
import { FakeUpstream } from "../kit/upstream.ts";

const CLAUDES = [
  "acme/talker-1",
  "anthropic/claude-sonnet-4.5",
  "anthropic/claude-sonnet-5.5",
  "anthropic/claude-sonnet-5.10",
  "anthropic/claude-opus-4.1",
];
const OTHERS = ["acme/talker-1", "acme/little-1"];

/** The upstream's models, the requested model, and the model that answers; undefined for a 404. */
const CASES: [listed: string[], requested: string, model: string | undefined, settings?: Settings][] = [
  [CLAUDES, "claude-sonnet-5", "anthropic/claude-sonnet-5.10"],
  [CLAUDES, "claude-sonnet-4", "anthropic/claude-sonnet-4.5"],
  [CLAUDES, "claude-opus-5", "anthropic/claude-opus-4.1"],
  [CLAUDES, "claude-sonnet-5-5", "anthropic/claude-sonnet-5.5"],
  [CLAUDES, "claude-sonnet-5-6", undefined],
  [CLAUDES, "claude-haiku-5", undefined],
  [OTHERS, "claude-sonnet-5", "acme/talker-1", { ANTHROPIC_MODEL: "acme/talker-1" }],
  [OTHERS, "claude-sonnet-5-5", "acme/talker-1", { ANTHROPIC_MODEL: "acme/talker-1" }],
  [OTHERS, "claude-haiku-5-5", "acme/little-1", { ANTHROPIC_SMALL_FAST_MODEL: "acme/little-1" }],
  [OTHERS, "claude-sonnet-5", "qwen3", {
    ANTHROPIC_MODEL: "local/qwen3",
    UPSTREAMS: { local: { url: "http://127.0.0.1:1/v1", preset: "ollama" } },
  }],
  [OTHERS, "claude-sonnet-5", undefined],
  [[...OTHERS, "anthropic/claude-3.7-sonnet"], "claude-sonnet-5-5", undefined, {
    ANTHROPIC_MODEL: "acme/talker-1",
  }],
  [OTHERS, "acme/talker-9", undefined, { ANTHROPIC_MODEL: "acme/talker-1" }],
];

for (const [listed, requested, model, settings = {}] of CASES) {
  test(`POST /v1/messages resolves "${requested}" to ${model ?? "a 404"}, of ${listed.length} listed models`, async () => {
    const models = JSON.stringify({ data: listed.map((id) => ({ id })) });
    const native = model?.startsWith("anthropic/");
    const upstream = new FakeUpstream({ body: COMPLETE_STREAMS[native ? "native" : "chat"] }, { models });
    const gateway = createTestGateway({ upstream, settings });
    const response = await gateway.post(
      minimalRequest("chat", { model: requested, stop_sequences: ["</block>"] }),
    );
    assert.equal(response.status, model === undefined ? 404 : 200);
    const [sent] = upstream.requests;
    assert.equal(sent?.body.model, model);
    if (sent !== undefined) {
      assert.deepEqual(native ? sent.body.stop_sequences : sent.body.stop, ["</block>"]);
    }
  });
}
