import { isObject, type JsonObject } from "../../base/json.ts";
import { TYPES } from "../keywords.ts";
import { appendStep } from "../pointer.ts";
import { SchemaError } from "../schema_error.ts";

/** Longest name of a property that a schema can require; engines look up longer texts slowly (see `text_key.ts`). */
const MAX_NAME_CHARS = 10_000;
/** Largest size that a schema can require: no answer of a model is longer. */
const MAX_REQUIRED_SIZE = 1_000_000;

const isNumber = (value: unknown) => typeof value === "number" && Number.isFinite(value);
const isSize = (value: unknown) => Number.isInteger(value) && Number(value) >= 0;
const isString = (value: unknown) => typeof value === "string";
const isName = (value: unknown) => isString(value) && String(value).length <= MAX_NAME_CHARS;
const isNames = (value: unknown) => Array.isArray(value) && value.every(isName);
const isRequiredSize = (value: unknown) => isSize(value) && Number(value) <= MAX_REQUIRED_SIZE;

type Check = readonly [expected: string, check: (value: unknown) => boolean];

const NUMBER: Check = ["a number", isNumber];
const SIZE: Check = ["an integer of at least 0", isSize];
const REQUIRED_SIZE: Check = [`an integer from 0 to ${MAX_REQUIRED_SIZE}`, isRequiredSize];
const STRING: Check = ["a string", isString];
const LIMIT: Check = ["a number", (value) => isNumber(value) || typeof value === "boolean"]; // draft 4 has booleans

/** Values of keywords that are no subschemas. Source: https://json-schema.org/draft/2020-12/json-schema-validation */
const CHECKS: ReadonlyMap<string, Check> = new Map<string, Check>([
  ["type", [
    `one of ${TYPES.join(", ")}, or a list of these`,
    (value) => (Array.isArray(value) ? value : [value]).every((type) => TYPES.includes(type)),
  ]],
  ["enum", ["a list", Array.isArray]],
  ["multipleOf", ["a number above 0", (value) => isNumber(value) && Number(value) > 0]],
  ["maximum", NUMBER],
  ["minimum", NUMBER],
  ["exclusiveMaximum", LIMIT],
  ["exclusiveMinimum", LIMIT],
  ["maxLength", SIZE],
  ["minLength", REQUIRED_SIZE],
  ["maxItems", SIZE],
  ["minItems", REQUIRED_SIZE],
  ["maxContains", SIZE],
  ["minContains", REQUIRED_SIZE],
  ["maxProperties", SIZE],
  ["minProperties", REQUIRED_SIZE],
  ["pattern", STRING],
  ["required", [`a list of names of at most ${MAX_NAME_CHARS} characters`, isNames]],
  ["dependentRequired", [
    `an object of lists of names of at most ${MAX_NAME_CHARS} characters`,
    (value) => isObject(value) && Object.values(value).every(isNames),
  ]],
  ["$ref", STRING],
  ["$dynamicRef", STRING],
]);

/** @throws {SchemaError} if a keyword of a schema has a value that it cannot have. */
export function assertKeywords(schema: JsonObject, pointer: string): void {
  for (const [keyword, value] of Object.entries(schema)) {
    const check = CHECKS.get(keyword);
    if (check !== undefined && !check[1](value)) {
      throw new SchemaError(appendStep(pointer, keyword), `expected ${check[0]}`);
    }
  }
}
