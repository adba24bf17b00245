import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ToolInput } from "../../lib/anthropic/tool_input/tool_input.ts";
import type { JsonObject } from "../../lib/base/json.ts";
import type { Wire } from "../kit/json.ts";
import { SEED } from "../kit/random.ts";

const RUNS = { seed: SEED, numRuns: 1000 };

/** Strings that are difficult to parse: quotes, braces, escapes, halves of surrogate pairs. */
const tricky = fc.string({
  unit: fc.constantFrom(
    ...'{}[]"\\:,/ \n\t\r',
    "\u{1F642}",
    "\ud83d",
    "\ude42",
    "\u2028",
    "\0",
    "\ufeff",
    "é",
    "\\u007b",
  ),
});
const key = fc.oneof(tricky, fc.constantFrom("__proto__", "constructor", ""));
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small" },
    fc.oneof(
      tricky,
      fc.integer(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.boolean(),
      fc.constant(null),
    ),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(key, tie("value"), { maxKeys: 3 }),
  ),
}));
const object = fc.dictionary(key, value, { maxKeys: 4 });

/** An object as some host would write it: with or without spaces, with or without needless escapes. */
const objectText = fc.tuple(object, fc.constantFrom(undefined, 1, 2, "\t"), fc.boolean()).map(
  ([fields, indent, escaped]) => {
    const text = JSON.stringify(fields, null, indent);
    return escaped
      ? text.replace(/[^\x20-\x7e\n\t]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)
      : text;
  },
);
const spaces = fc.string({ unit: fc.constantFrom(" ", "\n", "\t", "\r"), maxLength: 4 });
const sizes = fc.array(fc.integer({ min: 0, max: 7 }), { maxLength: 12 });

/** Feeds a text in fragments of the given sizes, then the rest. */
function read(text: string, cuts: readonly number[], schema?: JsonObject): string {
  const input = new ToolInput(schema);
  let out = "";
  let at = 0;
  for (const size of cuts) {
    out += input.push(text.slice(at, at + size));
    at += size;
  }
  return out + input.push(text.slice(at)) + input.end();
}

test("ToolInput returns an object unchanged at any cut", () => {
  fc.assert(
    fc.property(objectText, sizes, (text, cuts) => {
      assert.equal(read(text, cuts), /^\{\s*\}$/.test(text) ? "{}" : text);
    }),
    RUNS,
  );
});

test("ToolInput removes text around the object", () => {
  const junk = fc.oneof(tricky, fc.constantFrom("</tool_call>", "```", "<|im_end|>", "}", "]"));
  const filled = objectText.filter((text) => !/^\{\s*\}$/.test(text));
  const empties = fc.array(spaces.map((space) => `{${space}}${space}`), { maxLength: 2 }).map((list) =>
    list.join("")
  );
  fc.assert(
    fc.property(
      spaces,
      empties,
      filled,
      fc.boolean(),
      junk,
      sizes,
      (space, empty, text, twice, after, cuts) => {
        assert.equal(read(`${space}${empty}${text}${twice ? text : ""}${after}`, cuts), text);
      },
    ),
    RUNS,
  );
});

test("ToolInput rejects a second object that differs from the first, at any cut", () => {
  const filled = objectText.filter((text) => !/^\{\s*\}$/.test(text));
  fc.assert(
    fc.property(filled, fc.boolean(), sizes, (text, twice, cuts) => {
      assert.throws(() => read(`${text}${twice ? text : ""}{"of another call":1}`, cuts), SyntaxError);
    }),
    RUNS,
  );
});

test("ToolInput corrects arguments in the same way at any cut", () => {
  const type = fc.constantFrom("string", "number", "integer", "boolean", "object", "array", "null");
  const typed = type.map((type) => ({ type }));
  const schema = fc.tuple(
    object,
    fc.infiniteStream(fc.oneof(
      typed,
      typed.map((items) => ({ type: "array", items })),
      typed.map((one) => ({ type: "object", properties: { a: one } })),
      fc.tuple(typed, typed).map((anyOf) => ({ anyOf })),
      fc.constant({}),
    )),
  ).map(([fields, kinds]) => {
    const properties = Object.fromEntries(Object.keys(fields).map((key) => [key, kinds.next().value]));
    return { fields, schema: { type: "object", properties } };
  });
  fc.assert(
    fc.property(schema, sizes, ({ fields, schema }, cuts) => {
      const text = JSON.stringify(fields);
      const right = read(text, [], schema);
      assert.equal(read(text, cuts, schema), right);
      const kinds = new Map<string, Wire>(Object.entries(schema.properties));
      const kept = Object.entries(JSON.parse(text)).filter(([name, value]) => {
        const { type, anyOf = [{ type }] } = kinds.get(name) ?? {};
        const types = anyOf.map((one: Wire) => one.type);
        return value !== null || types.includes("null") || types.includes(undefined);
      });
      assert.deepEqual(Object.keys(JSON.parse(right)), kept.map(([name]) => name), "only a null is left out");
      for (const [name, value] of Object.entries(JSON.parse(text))) {
        const kind: { type?: string } = Object.entries(schema.properties).find(([key]) =>
          key === name
        )?.[1] ??
          {};
        const is = value === null ? "null" : Array.isArray(value) ? "array" : typeof value;
        const simple = kind.type === is && !("items" in kind) && !("properties" in kind);
        if (simple) {
          assert.deepEqual(Object.entries(JSON.parse(right)).find(([key]) => key === name)?.[1], value);
        }
      }
    }),
    RUNS,
  );
});

test("ToolInput unwraps an object from a string", () => {
  fc.assert(
    fc.property(spaces, objectText, sizes, (space, text, cuts) => {
      const output = read(`${space}${JSON.stringify(text)}${space}`, cuts);
      assert.deepEqual(JSON.parse(output), JSON.parse(text));
    }),
    RUNS,
  );
});

test("ToolInput reads empty input and whitespace as an empty object", () => {
  fc.assert(
    fc.property(
      spaces,
      fc.constantFrom("", "{}", "null", '""', '" "', "{ \n}"),
      spaces,
      sizes,
      (before, text, after, cuts) => {
        assert.equal(read(`${before}${text}${after}`, cuts), "{}");
      },
    ),
    RUNS,
  );
});

test("ToolInput rejects input that is not an object", () => {
  const broken = objectText.chain((text) => fc.nat(text.length - 2).map((end) => text.slice(0, end + 1)));
  const noObject = fc.oneof(
    fc.constantFrom(
      "[]",
      "[1]",
      "0",
      "-1",
      "true",
      '"words"',
      "words",
      '"[1]"',
      "{'a':1}",
      "{a}",
      '{"a":1,}',
      '{"a":]}',
    ),
    broken,
    value.filter((v) => v !== null && typeof v !== "object" && !/^\s*(\{[^]*)?$/.test(String(v))).map((v) =>
      JSON.stringify(v)
    ),
  );
  fc.assert(
    fc.property(spaces, noObject, sizes, (space, text, cuts) => {
      assert.throws(() => read(`${space}${text}`, cuts), SyntaxError);
    }),
    RUNS,
  );
});

test("ToolInput releases the object's text without delay", () => {
  fc.assert(
    fc.property(objectText, (text) => {
      const input = new ToolInput();
      let out = "";
      for (const char of text) out += input.push(char);
      assert.equal(out + input.end(), out === "" ? "{}" : text);
      if (!/^\{\s*\}$/.test(text)) assert.equal(out, text);
    }),
    RUNS,
  );
});

test("ToolInput needs linear time for repeated spaces", () => {
  const input = new ToolInput();
  input.push("{");
  for (let nth = 0; nth < 200_000; nth++) assert.equal(input.push(" "), "");
  assert.equal(JSON.parse(input.push('"a":1}') + input.end()).a, 1);
});
