import assert from "node:assert/strict";
import { test } from "node:test";
import { OutputContract } from "../../lib/turns/structured/output_contract.ts";

const TOO_COSTLY = { complaints: [{ path: "", message: "must be small enough to be checked" }] };

const toBlock = (value: unknown) => ({ type: "text", text: JSON.stringify(value) });
const integers = (count: number) => Array.from({ length: count }, (_, at) => at);

test("restore() checks a value that is the only text once", () => {
  const contract = new OutputContract("output_config.format", { items: { type: "integer" } });
  const block = toBlock(integers(80_000)); // takes more than half of the steps of an answer
  assert.deepEqual(contract.restore([block], { wrapped: false }), { text: block.text });
});

test("restore() shares the steps of an answer among its pieces", () => {
  const contract = new OutputContract("output_config.format", { type: "object", items: { type: "integer" } });
  const valid = toBlock({ valid: true });
  const costly = [1, 2, 3].map((last) => toBlock([...integers(40_000), last]));
  assert.equal(contract.restore([...costly.slice(0, 1), valid], { wrapped: false }).text, valid.text);
  assert.notEqual(contract.restore([...costly, valid], { wrapped: false }).complaints, undefined);
});

const COSTLY: [name: string, schema: object, value: unknown][] = [
  [
    "a choice of a long string",
    { anyOf: integers(3000).map((one) => ({ const: one })) },
    "x".repeat(100_000),
  ],
  [
    "the length of a long string",
    { anyOf: integers(3000).map(() => ({ maxLength: 3 })) },
    "x".repeat(100_000),
  ],
  [
    "an object of many members",
    { anyOf: integers(3000).map(() => ({ maxProperties: 3 })) },
    Object.fromEntries(integers(10_000).map((at) => [`k${at}`, 1])),
  ],
  [
    "references to a list of which each item is noted",
    {
      allOf: integers(5000).map(() => ({ $ref: "#/$defs/any" })),
      unevaluatedItems: false,
      $defs: { any: { contains: true } },
    },
    integers(20_000),
  ],
  [
    "many schemas that depend on a member",
    { items: { dependentSchemas: Object.fromEntries(integers(9000).map((at) => [`k${at}`, true])) } },
    integers(1000).map(() => ({})),
  ],
  [
    "many names that depend on a member",
    { items: { not: { dependentRequired: { a: integers(9000).map((at) => `k${at}`) } } } },
    integers(1000).map(() => ({ a: 1 })),
  ],
  [
    "many required names",
    { items: { not: { required: integers(9000).map((at) => `k${at}`) } } },
    integers(1000).map(() => Object.fromEntries(integers(20).map((at) => [`k${at}`, 1]))),
  ],
];

for (const [name, schema, value] of COSTLY) {
  test(`restore() counts the steps for ${name}`, () => {
    const contract = new OutputContract("output_config.format", { ...schema });
    assert.deepEqual(contract.restore([toBlock(value)], { wrapped: false }), TOO_COSTLY);
  });
}

test("restore() keeps the digits of large numbers when it removes a wrapper or null", () => {
  const list = new OutputContract("output_config.format", { type: "array", items: { type: "integer" } });
  const ids = { type: "text", text: '{"value": [12345678901234567890, 1]}' };
  assert.equal(list.restore([ids], { wrapped: true }).text, "[12345678901234567890,1]");
  const properties = { id: { type: "integer" }, note: { type: "string" } };
  const order = new OutputContract("output_config.format", { type: "object", properties, required: ["id"] });
  const block = { type: "text", text: '{"id": 12345678901234567890, "note": null}' };
  assert.equal(order.restore([block], { wrapped: false }).text, '{"id":12345678901234567890}');
});

test("restore() ignores truncated values", () => {
  const schema = { type: "object", properties: { kids: { items: { $ref: "#" } } }, required: ["kids"] };
  const contract = new OutputContract("output_config.format", schema);
  const block = { type: "text", text: '{"kids":[{"kids":[]}' };
  assert.notEqual(contract.restore([block], { wrapped: false }).complaints, undefined);
});

test("checkTexts() rejects text that clients cannot parse", () => {
  const contract = new OutputContract("output_config.format", { type: "object" });
  assert.equal(contract.checkTexts([' {"a":1}\n']).complaints, undefined);
  for (const texts of [[], [""], ['{"a":', "1}"], ["{}", "{}"], ["\ufeff{}"], ["{}\u00a0"]]) {
    assert.notEqual(contract.checkTexts(texts).complaints, undefined, JSON.stringify(texts));
  }
});
