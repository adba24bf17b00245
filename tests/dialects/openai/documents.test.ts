import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessagesRequest } from "../../../lib/anthropic/parse.ts";
import type { ModelFacts } from "../../../lib/dialects/mod.ts";
import { createChatDialect } from "../../../lib/dialects/openai/mod.ts";
import { CHAT_FEATURES } from "../../../lib/dialects/presets.ts";
import type { Preset } from "../../../lib/config/presets.ts";
import { toContext } from "../../properties/families.ts";
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
  /** What is said: parts, or a text alone. */
  said: Json[] | string;
  lost?: boolean;
}

const CASES: Record<string, Case> = {
  "a file goes as a file": { block: named(pdf), said: [{ type: "text", text: "Of the house" }, file] },
  "a file goes to a model that takes none, where its host reads it": {
    block: named(pdf),
    facts: blind,
    said: [{ type: "text", text: "Of the house" }, file],
  },
  "OpenAI takes the bytes of a file": {
    block: named(pdf),
    preset: "openai",
    said: [{ type: "text", text: "Of the house" }, file],
  },
  "OpenAI does not take its address": {
    block: named(there),
    preset: "openai",
    said: "Rules\n\nOf the house\n\n[A document was left out here: this host opens no addresses of files]",
    lost: true,
  },
  "most hosts take no files": {
    block: named(pdf),
    preset: "groq",
    said: "Rules\n\nOf the house\n\n[A document was left out here: this host takes no files]",
    lost: true,
  },
  "text is text everywhere": {
    block: named({ type: "text", media_type: "text/plain", data: "No shoes." }),
    preset: "groq",
    facts: blind,
    said: "Rules\n\nOf the house\n\nNo shoes.",
  },
  "text is text, though it come as a file": {
    block: named({ type: "base64", media_type: "text/plain", data: btoa("No shoes.") }),
    said: "Rules\n\nOf the house\n\nNo shoes.",
  },
  "what only is called text goes as a file": {
    block: named({ type: "base64", media_type: "text/plain", data: "gA==" }),
    said: [{ type: "text", text: "Of the house" }, {
      type: "file",
      file: { filename: "Rules", file_data: "data:text/plain;base64,gA==" },
    }],
  },
  "an image is shown to a model that sees": {
    block: image,
    facts: { inputs: new Set(["text", "image"]) },
    said: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } }],
  },
  "an image is shown to a model of which nothing is known": {
    block: image,
    said: [{ type: "image_url", image_url: { url: "data:image/png;base64,iVBO" } }],
  },
  "a model that does not see is told that there was an image": {
    block: image,
    facts: blind,
    said: "[An image was left out here: this model cannot see images]",
    lost: true,
  },
};

/** Says one block to a host, as a user's or inside a tool's result; gives what is said and where it stands. */
function say(content: Json, { preset = "openrouter", facts = {} }: Case) {
  const called = content.type === "tool_result"
    ? { type: "tool_use", id: "toolu_1", name: "Read", input: {} }
    : text;
  const messages = [{ role: "assistant", content: [called] }, { role: "user", content: [content] }];
  const request = parseMessagesRequest({ model: "m", max_tokens: 1000, messages });
  const context = { ...toContext("m"), facts };
  const body: unknown = createChatDialect(CHAT_FEATURES[preset]).toBody(request, context);
  return { body, lost: context.loss.entries.map((entry) => entry.join(";")) };
}

for (const [name, { said, lost = false, ...asked }] of Object.entries(CASES)) {
  test(`toParts(): ${name}`, () => {
    const told = say(asked.block, { said, ...asked });
    assert.deepEqual(dig(told.body, "messages", 1, "content"), said);
    assert.deepEqual(told.lost, lost ? ["messages.1.content.0;dropped"] : []);
  });

  test(`toToolMessages(): ${name}`, () => {
    const result = { type: "tool_result", tool_use_id: "toolu_1", content: [asked.block] };
    const told = say(result, { said, ...asked });
    const hoisted = dig(told.body, "messages", 2, "content");
    if (typeof said === "string") {
      assert.equal(dig(told.body, "messages", 1, "content"), said);
      assert.equal(hoisted, undefined);
      assert.deepEqual(told.lost, lost ? ["messages.1.content.0.content.0;dropped"] : []);
    } else {
      assert.deepEqual(dig(hoisted, 1), said.at(-1));
      assert.deepEqual(told.lost, ["messages.1.content.0;hoisted"]);
    }
  });
}
