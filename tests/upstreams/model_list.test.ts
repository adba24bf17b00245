import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { findModel, parseModelList, toAnthropicModel, toFacts } from "../../lib/upstreams/model_list.ts";
import type { ListedModel } from "../../lib/upstreams/model_list.ts";

function listOf(...entries: unknown[]): ListedModel[] {
  const models = parseModelList({ data: entries });
  assert.ok(models);
  return models;
}

function factsOf(entry: object) {
  return toFacts(listOf({ id: "m", ...entry })[0]);
}

test("parseModelList() rejects invalid lists and skips invalid entries", () => {
  for (
    const body of [null, 5, [], [{ id: "m" }], "data", {}, { data: {} }, { data: null }, {
      error: { message: "no" },
    }]
  ) {
    assert.equal(parseModelList(body), undefined, JSON.stringify(body));
  }
  assert.deepEqual(listOf(null, 1, "m", [], {}, { id: 5 }, { id: "m" }).map(({ id }) => id), ["m"]);
});

test("parseModelList() keeps models with invalid details, and unknown fields", () => {
  const wrong = {
    canonical_slug: 1,
    name: {},
    created: "2026-01-01",
    context_length: "many",
    top_provider: "acme",
    supported_parameters: { tools: true },
    architecture: [],
    pricing: { prompt: {}, completion: [], overrides: 5 },
    reasoning: true,
  };
  const [model] = listOf({ id: "m", ...wrong, future: 1 });
  assert.equal(model?.id, "m");
  assert.equal(model?.future, 1);
  const { price, ...facts } = toFacts(model);
  assert.deepEqual(Object.values(facts).filter((value) => value !== undefined), []);
  assert.deepEqual(Object.values(price ?? {}).filter((listed) => listed !== undefined), [[]]);
});

const PRICES: [listed: unknown, usd: number | undefined][] = [
  ["0.000003", 0.000003],
  ["3e-6", 0.000003],
  [0.000003, 0.000003],
  ["0", 0],
  ["-1", undefined],
  [-1, undefined],
  ["", undefined],
  ["free", undefined],
  ["Infinity", undefined],
  [null, undefined],
  [undefined, undefined],
];
for (const [listed, usd] of PRICES) {
  test(`toFacts() reads the price ${JSON.stringify(listed)} as ${usd}`, () => {
    const { price } = factsOf({ pricing: { prompt: listed, completion: listed } });
    assert.deepEqual([price?.input, price?.output], [usd, usd]);
  });
}

test("toFacts() reads the price of cached input", () => {
  const { price } = factsOf({ pricing: { input_cache_read: "0.1", input_cache_write: "1.25" } });
  assert.deepEqual([price?.cacheRead, price?.cacheWrite], [0.1, 1.25]);
});

test("toFacts() reads the price of long input and ignores invalid prices", () => {
  const overrides = [
    { min_prompt_tokens: 200_000, prompt: "0.000006" },
    { min_prompt_tokens: 500_000, prompt: "-1" },
    { min_prompt_tokens: null, prompt: "0.1" },
    { min_prompt_tokens: 400_000, completion: "0.1" },
  ];
  const { price } = factsOf({ pricing: { prompt: "0.000003", overrides } });
  assert.deepEqual(price?.inputTiers, [{ above: 200_000, input: 0.000006 }]);
});

const WINDOWS: Record<string, object> = {
  OpenRouter: { context_length: 5000, top_provider: { max_completion_tokens: 500 } },
  vLLM: { max_model_len: 5000 },
  Groq: { context_window: 5000, max_completion_tokens: 500 },
  Mistral: { max_context_length: 5000 },
  Anthropic: { max_input_tokens: 5000, max_tokens: 500 },
};
for (const [host, entry] of Object.entries(WINDOWS)) {
  test(`toFacts() reads the context length as ${host} lists it`, () => {
    const { contextLength, maxOutput } = factsOf(entry);
    assert.equal(contextLength, 5000);
    assert.equal(maxOutput, JSON.stringify(entry).includes("500}") ? 500 : undefined);
  });
}

test("toFacts() returns no facts for a model without details", () => {
  assert.deepEqual(toFacts(undefined), {});
  const { price: _price, ...facts } = factsOf({
    context_length: null,
    top_provider: { max_completion_tokens: null },
    supported_parameters: [],
    architecture: { input_modalities: null },
    reasoning: null,
  });
  assert.deepEqual(Object.values(facts).filter((value) => value !== undefined), []);
  assert.equal(factsOf({ context_length: 0 }).contextLength, undefined);
});

test("toFacts() reads the reasoning capabilities of a model", () => {
  assert.deepEqual(factsOf({ reasoning: {} }).reasoning, {
    efforts: undefined,
    mandatory: false,
    budget: true,
  });
  assert.deepEqual(
    factsOf({ reasoning: { supported_efforts: ["low"], mandatory: true, supports_max_tokens: false } })
      .reasoning,
    { efforts: ["low"], mandatory: true, budget: false },
  );
});

const NAMES: [wanted: string, found: string | undefined][] = [
  ["acme/talker-1", "acme/talker-1"],
  ["acme/talker-1-0901", "acme/talker-1"],
  ["acme/talker-1:nitro", "acme/talker-1"],
  ["acme/talker-1-0901:floor", "acme/talker-1"],
  ["acme/gift:free", "acme/gift:free"],
  ["acme/gift", undefined],
  ["gemini-3-flash", "models/gemini-3-flash"],
  ["llama4", "llama4:latest"],
  ["acme/talker", undefined],
  ["", undefined],
];
for (const [wanted, found] of NAMES) {
  test(`findModel() finds ${found} for "${wanted}"`, () => {
    const models = listOf(
      { id: "acme/talker-1", canonical_slug: "acme/talker-1-0901" },
      { id: "acme/gift:free" },
      { id: "models/gemini-3-flash" },
      { id: "llama4:latest" },
    );
    assert.equal(findModel(models, wanted)?.id, found);
  });
}

test("parseModelList() accepts any values in a list", () => {
  const body = fc.oneof(
    fc.json().map((text): unknown => JSON.parse(text)),
    fc.record({ data: fc.array(fc.object()) }),
    fc.record({
      data: fc.array(fc.record({
        id: fc.string(),
        pricing: fc.oneof(fc.object(), fc.string()),
        top_provider: fc.anything(),
        context_length: fc.anything(),
      })),
    }),
  );
  fc.assert(fc.property(body, (any) => {
    for (const model of parseModelList(any) ?? []) {
      const { contextLength = 1, maxOutput = 1, price } = toFacts(model);
      assert.ok(contextLength >= 1 && maxOutput >= 1 && (price?.input ?? 0) >= 0);
      assert.equal(toAnthropicModel(model).id, model.id);
      assert.ok(findModel([model], model.id));
    }
  }));
});

const CORPUS = new URL("../../../shared/corpus/openrouter-models/", import.meta.url);
if (!existsSync(CORPUS)) {
  const skip = "there is no ../shared/corpus beside this checkout";
  console.log(`model lists: skipped: ${skip}`);
  test("parseModelList() reads recorded lists completely", { skip }, () => {});
} else {
  for (const file of readdirSync(CORPUS)) {
    test(`parseModelList() reads the recorded list ${file} completely`, () => {
      const body = JSON.parse(readFileSync(new URL(file, CORPUS), "utf8"));
      const models = parseModelList(body) ?? [];
      assert.equal(models.length, body.data.length);
      for (const model of models) {
        const facts = toFacts(model);
        assert.ok((facts.contextLength ?? 0) > 1000, model.id);
        assert.ok(facts.parameters?.has("max_tokens"), model.id);
        assert.ok(facts.inputs?.has("text"), model.id);
        assert.ok((facts.price?.input ?? 1) < 0.001, model.id);
        assert.equal(findModel(models, String(model.canonical_slug)), model);
      }
    });
  }
}
