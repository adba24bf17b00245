import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseMessagesRequest } from "../../lib/anthropic/parse.ts";
import type { AnswerReader, TurnContext } from "../../lib/dialects/mod.ts";
import { openrouter } from "./generators/families.ts";
import { blocksOf, countParts, historyOf } from "./generators/histories.ts";
import { cleanSchema } from "../../lib/dialects/request/clean_schema.ts";
import { ToolNames } from "../../lib/dialects/offered_tools/tool_names.ts";
import { isObject } from "../../lib/base/json.ts";
import { adjustRequest } from "../../lib/dialects/adjustments/adjust_request.ts";
import { LossReport } from "../../lib/dialects/loss.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";
import { MODELS } from "../kit/requests/request.ts";

const RUNS = { seed: SEED, numRuns: 500 };

const VALID_NAME = /^[a-zA-Z0-9_-]{1,64}$/;

/** Names that hosts accept and names that they reject, many of them similar. */
const name = fc.oneof(
  fc.string({ unit: fc.constantFrom(..."ab_-."), maxLength: 3 }),
  fc.string({ unit: fc.constantFrom("a"), minLength: 62, maxLength: 70 }),
  fc.string({ unit: "binary", maxLength: 80 }),
);

function createContext(): TurnContext & { loss: LossReport } {
  let ids = 0;
  const newId = (prefix: string) => `${prefix}${ids++}`;
  return {
    model: MODELS.chat,
    origin: MODELS.chat,
    alias: "m",
    facts: {},
    inputTokens: 1,
    newId,
    loss: new LossReport(),
  };
}

test("ToolNames maps every name to a unique valid name and back", () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { maxLength: 8 }), (all) => {
      const names = new ToolNames(all);
      const sent = all.map((one) => names.toUpstream(one));
      assert.deepEqual(sent.map((one) => names.toClient(one)), all);
      assert.equal(new Set(sent).size, all.length, "no name twice");
      for (const [at, one] of sent.entries()) {
        assert.match(one, VALID_NAME);
        if (VALID_NAME.test(all[at] ?? "")) assert.equal(one, all[at], "a valid name stays");
      }
      assert.deepEqual(
        sent,
        all.map((one) => new ToolNames(all.toReversed()).toUpstream(one)),
        "in any order",
      );
    }),
    RUNS,
  );
});

test("ToolNames keeps apart names that look like shortened ones", () => {
  const long = "a name with spaces";
  const short = new ToolNames([long]).toUpstream(long);
  const names = new ToolNames([long, short]);
  assert.equal(names.toUpstream(short), short);
  assert.notEqual(names.toUpstream(long), short);
  assert.match(names.toUpstream(long), VALID_NAME);
  assert.equal(names.toClient(names.toUpstream(long)), long);
});

test("Dialect.createReader() restores the original name of a called tool", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(name.filter(Boolean), { minLength: 1, maxLength: 4 }),
      fc.nat(),
      (all, nth) => {
        const tools = all.map((one) => ({ name: one, input_schema: { type: "object" } }));
        const wanted = all[nth % all.length];
        const messages = [{ role: "user", content: "Go." }];
        const request = parseMessagesRequest({
          model: "m",
          max_tokens: 9,
          messages,
          tools,
          tool_choice: { type: "tool", name: wanted },
        });
        const context = createContext();
        const sent: Wire = openrouter.toBody(request, context);
        const called = sent.tool_choice.function.name;
        assert.ok(sent.tools.some((tool: Wire) => tool.function.name === called));
        assert.equal(
          context.loss.toHeader()?.includes("tool_choice.name;renamed") ?? false,
          !VALID_NAME.test(wanted ?? ""),
        );
        const reader = openrouter.createReader(request, createContext());
        assert.equal(callOf(reader, called, "{}").name, wanted);
      },
    ),
    RUNS,
  );
});

/** Reads an answer with a tool call, and returns the block that the client receives. */
function callOf(reader: AnswerReader, name: string, input: string): Wire {
  const call = { index: 0, id: "call_1", function: { name, arguments: input } };
  reader.pushNonStreamed({ choices: [{ message: { tool_calls: [call] }, finish_reason: "tool_calls" }] });
  reader.end();
  const started = reader.take().find((event) => event.type === "content_block_start");
  assert.ok(started?.type === "content_block_start");
  return started.content_block;
}

// ---- schemas

const KEYWORDS = [
  "$schema",
  "const",
  "default",
  "format",
  "exclusiveMinimum",
  "additionalProperties",
  "items",
  "type",
];
const word = fc.constantFrom(...KEYWORDS, "a", "__proto__");
const { schema } = fc.letrec<{ schema: Wire }>((tie) => ({
  schema: fc.oneof(
    { depthSize: "small" },
    fc.constant(true),
    fc.record({
      type: fc.constantFrom("object", "string"),
      $schema: fc.constant("draft"),
      const: fc.constantFrom("a", { const: 1 }),
      default: fc.constant({ $schema: "kept inside a value" }),
      exclusiveMinimum: fc.constant(1),
      format: fc.constantFrom("date-time", "uri"),
      enum: fc.constant([{ const: 1 }]),
      properties: fc.dictionary(word, tie("schema"), { maxKeys: 3 }),
      $defs: fc.dictionary(word, tie("schema"), { maxKeys: 2 }),
      anyOf: fc.array(tie("schema"), { maxLength: 2 }),
      items: fc.oneof(tie("schema"), fc.array(tie("schema"), { maxLength: 2 })),
      additionalProperties: tie("schema"),
      not: tie("schema"),
    }, { requiredKeys: [] }),
  ),
}));

/** Converts a value to one that JSON can represent. */
const plain = (value: Wire): Wire => JSON.parse(JSON.stringify(value));

/** Removes the keywords from a schema, but not from values inside of it: a simple implementation to compare with. */
function strip(value: Wire, refused: readonly string[], formats?: readonly string[]): Wire {
  if (!isObject(value)) return value;
  const left: [string, Wire][] = [];
  const each = (items: Wire) =>
    Object.fromEntries(Object.entries(items).map(([key, item]) => [key, strip(item, refused, formats)]));
  for (const [keyword, item] of Object.entries<Wire>(value)) {
    if (keyword === "format" && formats && !formats.includes(item)) continue;
    if (refused.includes(keyword)) {
      if (keyword === "const" && !("enum" in value)) left.push(["enum", [item]]);
    } else if (["properties", "$defs"].includes(keyword)) left.push([keyword, each(item)]);
    else if (keyword === "anyOf" || (keyword === "items" && Array.isArray(item))) {
      left.push([keyword, item.map((one: Wire) => strip(one, refused, formats))]);
    } else if (["items", "additionalProperties", "not"].includes(keyword)) {
      left.push([keyword, strip(item, refused, formats)]);
    } else left.push([keyword, item]);
  }
  return Object.fromEntries(left);
}

test("cleanSchema() removes only rejected keywords, at every depth", () => {
  const formats = fc.constantFrom(undefined, ["date-time"]);
  fc.assert(
    fc.property(
      schema.map(plain).filter(isObject),
      fc.subarray(KEYWORDS),
      formats,
      (given, refused, taken) => {
        const before = JSON.stringify(given);
        const clean = cleanSchema(given, { rejectedKeywords: refused, supportedFormats: taken });
        assert.deepEqual(clean, strip(given, refused, taken));
        assert.equal(JSON.stringify(given), before, "the client's schema is not changed");
        if (JSON.stringify(clean) === before) assert.equal(clean, given, "nothing is copied for nothing");
      },
    ),
    RUNS,
  );
});

test("adjustRequest() removes keywords that Gemini rejects from schemas and reports them", () => {
  const input_schema = {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    type: "object",
    properties: {
      default: { type: "integer", exclusiveMinimum: 0, default: 1 },
      when: { type: "string", format: "date-time" },
      where: { type: "string", format: "uri" },
      kind: { const: "bee" },
      list: { type: "array", items: { type: "object", properties: {}, additionalProperties: false } },
    },
    required: ["default"],
    additionalProperties: false,
  };
  const tools = [{ name: "a", input_schema }, { name: "b", input_schema: { type: "object" } }];
  const messages = [{ role: "user", content: "Go." }];
  const request = parseMessagesRequest({ model: "m", max_tokens: 9, messages, tools });
  const loss = new LossReport();
  const { request: adjusted } = adjustRequest(request, [{ change: "simple_schemas" }], loss);
  assert.deepEqual(adjusted.tools?.map((tool: Wire) => tool.input_schema), [
    {
      type: "object",
      properties: {
        default: { type: "integer" },
        when: { type: "string", format: "date-time" },
        where: { type: "string" },
        kind: { type: "string", enum: ["bee"] },
        list: { type: "array", items: { type: "object", properties: {} } },
      },
      required: ["default"],
    },
    { type: "object" },
  ]);
  assert.equal(loss.toHeader(), "tools.0.input_schema;approximated");
});

// ---- histories

const history = historyOf({
  ids: fc.constantFrom("toolu_1", "toolu_2", "toolu_3", "toolu_gwAbCdEf01_Zm4uYWRkOjA"),
});

test("Dialect.toBody() answers each call exactly once, directly after it, for any history", () => {
  fc.assert(
    fc.property(history, (messages) => {
      const context = createContext();
      const request = parseMessagesRequest({ model: "m", max_tokens: 9, messages });
      const sent: Wire = openrouter.toBody(request, context);
      let open: string[] = [];
      for (const { role, tool_calls, tool_call_id } of sent.messages) {
        if (role === "tool") {
          assert.ok(open.includes(tool_call_id), "a result follows its call");
          open.splice(open.indexOf(tool_call_id), 1);
          continue;
        }
        assert.deepEqual(open, [], "a call is answered before any other content");
        open = (tool_calls ?? []).map(({ id }: Wire) => id);
      }
      assert.deepEqual(open, [], "the last call is answered");

      assert.deepEqual(countParts(sent.messages), countParts(blocksOf(messages)), "each part is sent once");
    }),
    RUNS,
  );
});

test("Dialect.toBody() does not repair a valid history", () => {
  const turn = fc.uniqueArray(fc.uuid(), { minLength: 1, maxLength: 4 }).chain((ids) =>
    fc.tuple(fc.constant(ids), fc.shuffledSubarray(ids, { minLength: ids.length }))
  );
  fc.assert(
    fc.property(fc.array(turn, { maxLength: 3 }), fc.boolean(), (turns, hasText) => {
      const messages: Wire[] = turns.flatMap(([made, given]) => [
        { role: "user", content: "Go." },
        { role: "assistant", content: made.map((id) => ({ type: "tool_use", id, name: "read", input: {} })) },
        {
          role: "user",
          content: [
            ...given.map((tool_use_id) => ({ type: "tool_result", tool_use_id, content: "Bees." })),
            ...(hasText ? [{ type: "text", text: "Go on." }] : []),
          ],
        },
      ]);
      const context = createContext();
      const request = parseMessagesRequest({
        model: "m",
        max_tokens: 9,
        messages: [...messages, { role: "user", content: "" }],
      });
      openrouter.toBody(request, context);
      assert.deepEqual(context.loss.entries, []);
    }),
    RUNS,
  );
});
