import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import type { ModelFacts } from "../../../lib/dialects/mod.ts";
import { createChatDialect } from "../../../lib/dialects/openai/mod.ts";
import { CHAT_FEATURES } from "../../../lib/dialects/presets.ts";
import type { Preset } from "../../../lib/config/presets.ts";
import { toContext } from "../../properties/generators/families.ts";
import { dig, type Json } from "../../kit/json.ts";

const pdf = { type: "base64", media_type: "application/pdf", data: "JVBE" };
const there = { type: "url", url: "https://example.com/a.pdf" };
const image = { type: "image", source: { type: "base64", media_type: "image/png", data: "iVBO" } };
const file = { type: "file", file: { filename: "Rules", file_data: "data:application/pdf;base64,JVBE" } };
const named = (source: Json) => ({ type: "document", title: "Rules", context: "Of the house", source });
const text = { type: "text", text: "Yes?" };
const blind: ModelFacts = { inputs: new Set(["text"]) };

interface Case {
  block: Json;
  preset?: Preset;
  facts?: ModelFacts;
  /** The expected content: parts, or only a text. */
  expected: Json[] | string;
  lost?: boolean;
}

const CASES: Record<string, Case> = {
  "sends a file as a file part": {
    block: named(pdf),
    expected: [{ type: "text", text: "Of the house" }, file],
  },
  "sends a file to a model without file input if the host reads it": {
    block: named(pdf),
    facts: blind,
    expected: [{ type: "text", text: "Of the house" }, file],
  },
  "sends the bytes of a file to OpenAI": {
    block: named(pdf),
    preset: "openai",
    expected: [{ type: "text", text: "Of the house" }, file],
  },
  "drops the URL of a file for OpenAI": {
    block: named(there),
    preset: "openai",
    expected: "Rules\n\nOf the house\n\n[Document omitted: this host does not accept URLs of files]",
    lost: true,
  },
  "drops a file for hosts without files": {
    block: named(pdf),
    preset: "groq",
    expected: "Rules\n\nOf the house\n\n[Document omitted: this host does not accept files]",
    lost: true,
  },
  "sends a text document as text": {
    block: named({ type: "text", media_type: "text/plain", data: "No shoes." }),
    preset: "groq",
    facts: blind,
    expected: "Rules\n\nOf the house\n\nNo shoes.",
  },
  "sends a text file as text": {
    block: named({ type: "base64", media_type: "text/plain", data: btoa("No shoes.") }),
    expected: "Rules\n\nOf the house\n\nNo shoes.",
  },
  "sends a file with a wrong text type as a file part": {
    block: named({ type: "base64", media_type: "text/plain", data: "gA==" }),
    expected: [{ type: "text", text: "Of the house" }, {
      type: "file",
      file: { filename: "Rules", file_data: "data:text/plain;base64,gA==" },
    }],
  },
  "sends an image to a model with image input": {
    block: image,
    facts: { inputs: new Set(["text", "image"]) },
    expected: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } }],
  },
  "sends an image to an unknown model": {
    block: image,
    expected: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } }],
  },
  "replaces an image by a note for a model without image input": {
    block: image,
    facts: blind,
    expected: "[Image omitted: this model does not accept images]",
    lost: true,
  },
};

/** Translates a block, in a user's message or a tool result. Returns the upstream's body and the losses. */
function translate(content: Json, { preset = "openrouter", facts = {} }: Case) {
  const called = content.type === "tool_result"
    ? { type: "tool_use", id: "toolu_1", name: "Read", input: {} }
    : text;
  const messages = [{ role: "assistant", content: [called] }, { role: "user", content: [content] }];
  const request = parseMessagesRequest({ model: "m", max_tokens: 1000, messages });
  const context = { ...toContext("m"), facts };
  const body: unknown = createChatDialect(CHAT_FEATURES[preset]).toBody(request, context);
  return { body, lost: context.loss.entries.map((entry) => entry.join(";")) };
}

for (const [name, { expected, lost = false, ...given }] of Object.entries(CASES)) {
  test(`toParts() ${name}`, () => {
    const sent = translate(given.block, { expected, ...given });
    assert.deepEqual(dig(sent.body, "messages", 1, "content"), expected);
    assert.deepEqual(sent.lost, lost ? ["messages.1.content.0;dropped"] : []);
  });

  test(`toToolMessages() ${name}`, () => {
    const result = { type: "tool_result", tool_use_id: "toolu_1", content: [given.block] };
    const sent = translate(result, { expected, ...given });
    const hoisted = dig(sent.body, "messages", 2, "content");
    if (typeof expected === "string") {
      assert.equal(dig(sent.body, "messages", 1, "content"), expected);
      assert.equal(hoisted, undefined);
      assert.deepEqual(sent.lost, lost ? ["messages.1.content.0.content.0;dropped"] : []);
    } else {
      assert.deepEqual(dig(hoisted, 1), expected.at(-1));
      assert.deepEqual(sent.lost, ["messages.1.content.0;hoisted"]);
    }
  });
}
