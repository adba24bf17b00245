/** Wraps a value the given number of times. */
export function nested(depth: number, wrap: (inner: unknown) => unknown, innermost: unknown = 1): unknown {
  let value = innermost;
  for (let level = 0; level < depth; level++) value = wrap(value);
  return value;
}

/** Returns the schema of an object whose properties are all required. */
export function object(properties: Record<string, unknown>): Record<string, unknown> {
  return { type: "object", properties, required: Object.keys(properties) };
}

/** Returns the given number of properties with the same schema. */
export function manyProperties(count: number, schema: unknown): Record<string, unknown> {
  return Object.fromEntries(Array.from({ length: count }, (_, at) => [`p${at}`, schema]));
}

/** Schemas that cannot be used, with the pointer to the reason. */
export const UNUSABLE: readonly [name: string, schema: Record<string, unknown>, pointer: string][] = [
  ["a reference to itself", { $ref: "#" }, ""],
  [
    "a reference to itself by way of another",
    object({
      x: { $ref: "#/properties/y" },
      y: { anyOf: [{ type: "string" }, { $ref: "#/properties/x" }] },
    }),
    "/properties/x",
  ],
  ["a dynamic reference to itself by way of another", {
    $id: "a",
    $dynamicAnchor: "x",
    allOf: [{ $ref: "b" }],
    $defs: { b: { $id: "b", allOf: [{ $dynamicRef: "c#x" }] }, c: { $id: "c", $dynamicAnchor: "x" } },
  }, ""],
  ["a reference to nowhere", object({ x: { $ref: "#/$defs/none" } }), "/properties/x/$ref"],
  ["a reference to no anchor", object({ x: { $ref: "#none" } }), "/properties/x/$ref"],
  [
    "a reference to another host",
    object({ x: { $ref: "https://example.com/a.json" } }),
    "/properties/x/$ref",
  ],
  ["a reference to a file", object({ x: { $ref: "other.json#/a" } }), "/properties/x/$ref"],
  ["a reference to a value that is no schema", object({ x: { $ref: "#/required" } }), "/properties/x/$ref"],
  ["a list that never ends", object({ next: { $ref: "#" } }), "/properties/next"],
  [
    "a tree that never ends",
    object({ kids: { type: "array", minItems: 1, items: { $ref: "#" } } }),
    "/properties/kids/items",
  ],
  ["two that need each other", {
    ...object({ a: { $ref: "#/$defs/a" } }),
    $defs: { a: object({ b: { $ref: "#/$defs/b" } }), b: object({ a: { $ref: "#/$defs/a" } }) },
  }, "/$defs/b/properties/a"],
  ["a property that is never valid", object({ x: false }), "/properties/x"],
  ["the opposite of all", object({ x: { not: {} } }), "/properties/x"],
  ["two types at once", object({ x: { allOf: [{ type: "string" }, { type: "number" }] } }), "/properties/x"],
  ["choices of another type", object({ x: { type: "string", enum: [1, 2] } }), "/properties/x"],
  ["no choices", object({ x: { enum: [] } }), "/properties/x"],
  [
    "alternatives of which none is possible",
    object({ x: { anyOf: [false, { type: "string", const: 1 }] } }),
    "/properties/x",
  ],
  ["a range upside down", object({ x: { type: "number", minimum: 5, maximum: 3 } }), "/properties/x"],
  [
    "no integer in a range",
    object({ x: { type: "integer", exclusiveMinimum: 1, exclusiveMaximum: 2 } }),
    "/properties/x",
  ],
  ["lengths upside down", object({ x: { type: "string", minLength: 2, maxLength: 1 } }), "/properties/x"],
  ["sizes upside down", object({ x: { type: "array", minItems: 2, maxItems: 1 } }), "/properties/x"],
  ["a required property that is not allowed", {
    type: "object",
    required: ["x"],
    additionalProperties: false,
  }, "/additionalProperties"],
  [
    "depth",
    object({ x: nested(150, (items) => ({ type: "array", items }), {}) }),
    `/properties/x${"/items".repeat(100)}`,
  ],
  ["a chain of 9,000 references", {
    ...object({ x: { $ref: "#/$defs/c0" } }),
    $defs: Object.fromEntries(
      Array.from({ length: 9000 }, (_, at) => [`c${at}`, at < 8999 ? { $ref: `#/$defs/c${at + 1}` } : {}]),
    ),
  }, "/$defs/c8899"],
  ["19,000 properties", { type: "object", properties: manyProperties(19_000, {}) }, "/properties/p9999"],
  [
    "20,000 choices",
    object({ x: { enum: Array.from({ length: 20_000 }, (_, at) => at) } }),
    "/properties/x/enum",
  ],
  ["20,000 required names", {
    type: "object",
    required: Array.from({ length: 20_000 }, (_, at) => `p${at}`),
  }, "/required"],
  [
    "20,000 names that depend on another",
    object({ x: { dependentRequired: { a: Array.from({ length: 20_000 }, (_, at) => `p${at}`) } } }),
    "/properties/x/dependentRequired",
  ],
  [
    "references into the targets of each other",
    {
      ...object(
        Object.fromEntries(
          Array.from({ length: 40 }, (_, at) => [`x${at}`, { $ref: `#/parts${"/items".repeat(at)}` }]),
        ),
      ),
      parts: nested(40, (items) => ({ items }), { properties: manyProperties(1000, {}) }),
    },
    `/parts${"/items".repeat(40)}/properties/p894`,
  ],
  [
    "patterns with many classes",
    object(Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`x${at}`, { pattern: `[${"\\p{L}".repeat(90)}]` }]),
    )),
    "/properties/x11/pattern",
  ],
  [
    "a pattern that repeats too much",
    object({ x: { pattern: "((a{0,99}){0,99}){0,99}" } }),
    "/properties/x/pattern",
  ],
  ["a pattern that refers back", object({ x: { pattern: "(a)\\1" } }), "/properties/x/pattern"],
  ["a pattern that looks ahead in the middle", object({ x: { pattern: "a(?=b)" } }), "/properties/x/pattern"],
  ["a pattern that is none", object({ x: { pattern: "(" } }), "/properties/x/pattern"],
  ["a long pattern", object({ x: { pattern: "a".repeat(5000) } }), "/properties/x/pattern"],
  ["a pattern of names that is none", {
    type: "object",
    patternProperties: { "(": {} },
  }, "/patternProperties/("],
  [
    "a billion items",
    object({ x: { type: "array", minItems: 1e9, uniqueItems: true } }),
    "/properties/x/minItems",
  ],
  ["an unknown type", object({ x: { type: "text" } }), "/properties/x/type"],
  ["a list in the place of properties", { type: "object", properties: [] }, "/properties"],
  ["a number in the place of a schema", object({ x: 1 }), "/properties/x"],
  ["a string in the place of a number", object({ x: { minimum: "1" } }), "/properties/x/minimum"],
];

/** Schemas that look costly or endless, and can be used, each with a valid value. */
export const USABLE: readonly [name: string, schema: Record<string, unknown>, valid: unknown][] = [
  ["a list that may end", {
    type: "object",
    properties: { v: { type: "number" }, next: { $ref: "#" } },
    required: ["v"],
  }, { v: 1, next: { v: 2 } }],
  ["a list that ends with null", object({ next: { anyOf: [{ $ref: "#" }, { type: "null" }] } }), {
    next: { next: null },
  }],
  ["a tree without leaves", object({ kids: { type: "array", items: { $ref: "#" } } }), {
    kids: [{ kids: [] }],
  }],
  ["a pattern that backtracks elsewhere", object({ x: { type: "string", pattern: "^(a+)+$" } }), {
    x: "aaa",
  }],
  ["unique items", object({ x: { type: "array", uniqueItems: true } }), { x: [1, "1", [1]] }],
  ["an impossible alternative beside a possible one", object({ x: { anyOf: [false, { type: "string" }] } }), {
    x: "",
  }],
  ["an impossible definition without use", { ...object({ x: {} }), $defs: { never: false } }, { x: 1 }],
  ["draft 7", {
    $schema: "http://json-schema.org/draft-07/schema#",
    ...object({ x: { $ref: "#/definitions/x" } }),
    definitions: { x: { type: "string" } },
  }, { x: "" }],
  [
    "a draft of the future",
    { $schema: "https://json-schema.org/draft/2030-01/schema", ...object({ x: {} }) },
    { x: 1 },
  ],
  ["1,000 properties", { type: "object", properties: manyProperties(1000, { type: "string" }) }, {
    p999: "",
  }],
];
