import assert from "node:assert/strict";
import { test } from "node:test";
import { type OfferedModel, toClientSettings } from "../../lib/claude_code/client_settings.ts";

/** A model, and the Claude model that it is treated as, or the window that the variable has. */
const CASES: [model: OfferedModel, expected: { behavesAs?: string; tokens?: string }][] = [
  [{ id: "openai/gpt-5", window: 400_000 }, { behavesAs: "claude-sonnet-4-6" }],
  [{ id: "google/gemini-3-pro", window: 1_048_576 }, { behavesAs: "claude-sonnet-5-5" }],
  [{ id: "fast" }, { behavesAs: "claude-sonnet-4-6" }],
  [{ id: "local/llama", window: 32_768 }, { tokens: "32768" }],
  [{ id: "anthropic/claude-opus-5.5", window: 1_000_000 }, { behavesAs: "claude-opus-5-5" }],
  [{ id: "claude-gw-fast", window: 200_000 }, { behavesAs: "claude-sonnet-4-6" }],
];

for (const [model, { behavesAs, tokens }] of CASES) {
  test(`toClientSettings() of ${JSON.stringify(model)}`, () => {
    const { settings, variables } = toClientSettings([model], { chosen: true });
    const option = { model: model.id, ...(behavesAs !== undefined && { behavesAs }) };
    assert.deepEqual(settings, {
      model: model.id,
      modelPicker: { options: [option], replaceBuiltInOptions: true },
    });
    assert.deepEqual(variables, tokens === undefined ? {} : { CLAUDE_CODE_MAX_CONTEXT_TOKENS: tokens });
  });
}

test("toClientSettings() sets the smallest window, and no model that was not chosen", () => {
  const models = [{ id: "a", label: "A", window: 64_000 }, { id: "b", description: "B", window: 32_000 }];
  const { settings, variables } = toClientSettings(models, { chosen: false });
  assert.deepEqual(settings, {
    modelPicker: { options: [{ model: "a", label: "A" }, { model: "b", description: "B" }] },
  });
  assert.deepEqual(variables, { CLAUDE_CODE_MAX_CONTEXT_TOKENS: "32000" });
});

test("toClientSettings() of no models is empty", () => {
  assert.deepEqual(toClientSettings([], { chosen: true }), { settings: {}, variables: {} });
});
