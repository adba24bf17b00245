import type { JsonObject } from "../base/json.ts";
import { quote } from "./complaint.ts";
import type { SchemaNode } from "./document.ts";
import { hasType } from "./keywords.ts";
import type { ValueIds } from "./value_ids.ts";

/** A requirement of a schema that a value does not meet. */
export interface Failure {
  message: string;
  mismatch?: "type" | "choice";
  /** Name of the missing or excess member that the failure is about. */
  member?: string;
}

/** Tests of a value that need no other schema, with what they cost in steps. */
export interface Assertions {
  failures: Failure[];
  steps: number;
}

/** Checks a value against the keywords of a schema that hold no subschemas. `ids` is the same for all values. */
export function checkAssertions(
  value: unknown,
  schema: JsonObject,
  { node, ids }: { node: SchemaNode; ids: ValueIds },
): Assertions {
  const failures = checkChoice(value, schema, ids);
  const hasChoice = Object.hasOwn(schema, "const") || Array.isArray(schema.enum);
  if (typeof value === "number") return { failures: [...failures, ...checkNumber(value, schema)], steps: 1 };
  if (typeof value === "string") {
    const isRead = hasChoice || "minLength" in schema || "maxLength" in schema;
    const steps = (node.pattern === undefined ? 1 : patternSteps(value, node.pattern.size)) +
      (isRead ? Math.floor(value.length / CHARS_PER_STEP) : 0);
    return { failures: [...failures, ...checkString(value, schema, node)], steps };
  }
  if (Array.isArray(value)) {
    const steps = schema.uniqueItems === true ? value.reduce<number>(addItemSteps, 0) : 1;
    return { failures: [...failures, ...checkArray(value, schema, ids)], steps };
  }
  if (typeof value !== "object" || value === null) return { failures, steps: 1 };
  const required = Array.isArray(schema.required) ? schema.required.length : 0;
  const steps = 1 + Object.keys(value).length + Math.floor(required / NAMES_PER_STEP);
  return { failures: [...failures, ...checkObject(value, schema)], steps };
}

function addItemSteps(steps: number, item: unknown): number {
  return steps + 1 + (typeof item === "string" ? Math.floor(item.length / CHARS_PER_STEP) : 0);
}

const CHARS_PER_STEP = 200;
const NAMES_PER_STEP = 10;

/** Returns the steps of one match: about as many as a schema takes in the same time. */
export function patternSteps(text: string, size: number): number {
  return 1 + Math.ceil((text.length * size) / PATTERN_STEPS_PER_STEP);
}

const PATTERN_STEPS_PER_STEP = 10;

function checkChoice(value: unknown, schema: JsonObject, ids: ValueIds): Failure[] {
  const { type } = schema;
  const failures: Failure[] = [];
  const types = Array.isArray(type) ? type : type === undefined ? [] : [type];
  if (types.length > 0 && !types.some((one) => hasType(value, String(one)))) {
    failures.push({ message: `must be ${types.join(" or ")}`, mismatch: "type" });
  }
  if (Object.hasOwn(schema, "const") && !choicesOf(schema, [schema.const], ids).has(ids.idOf(value))) {
    failures.push({ message: `must be ${quote(schema.const)}`, mismatch: "choice" });
  }
  if (Array.isArray(schema.enum) && !choicesOf(schema.enum, schema.enum, ids).has(ids.idOf(value))) {
    failures.push({
      message: `must be one of ${quote(schema.enum)}`,
      mismatch: "choice",
    });
  }
  return failures;
}

/** Returns the numbers of the values of a `const` or an `enum`, computed once for each `owner`. */
function choicesOf(owner: object, list: readonly unknown[], ids: ValueIds): ReadonlySet<number> {
  let choices = CHOICES.get(owner);
  if (choices?.ids !== ids) {
    choices = { ids, numbers: new Set(list.map((value) => ids.idOf(value))) };
    CHOICES.set(owner, choices);
  }
  return choices.numbers;
}

const CHOICES = new WeakMap<object, { ids: ValueIds; numbers: ReadonlySet<number> }>();

function checkNumber(value: number, schema: JsonObject): Failure[] {
  const { multipleOf } = schema;
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum } = numberLimits(schema);
  return [
    [value >= minimum, `must be at least ${minimum}`],
    [value <= maximum, `must be at most ${maximum}`],
    [value > exclusiveMinimum, `must be greater than ${exclusiveMinimum}`],
    [value < exclusiveMaximum, `must be less than ${exclusiveMaximum}`],
    [typeof multipleOf !== "number" || isMultiple(value, multipleOf), `must be a multiple of ${multipleOf}`],
  ].flatMap(([valid, message]) => valid ? [] : [{ message: String(message) }]);
}

/** Reads the limits of a number. In draft 4, the exclusive ones are booleans that belong to the others. */
export function numberLimits(schema: JsonObject): Record<
  "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum",
  number
> {
  const read = (limit: unknown, none: number) => typeof limit === "number" ? limit : none;
  const minimum = read(schema.minimum, -Infinity);
  const maximum = read(schema.maximum, Infinity);
  return {
    minimum,
    maximum,
    exclusiveMinimum: schema.exclusiveMinimum === true && minimum > -Infinity
      ? minimum
      : read(schema.exclusiveMinimum, -Infinity),
    exclusiveMaximum: schema.exclusiveMaximum === true && maximum < Infinity
      ? maximum
      : read(schema.exclusiveMaximum, Infinity),
  };
}

/** True if a number is a multiple; decimal fractions such as 0.01 are taken as they are written. */
function isMultiple(value: number, factor: number): boolean {
  if (value % factor === 0) return true;
  const ratio = value / factor;
  if (!Number.isFinite(ratio)) return false;
  const nearest = Math.round(ratio);
  return Math.abs(ratio - nearest) <= Number.EPSILON * Math.abs(ratio) &&
    Number((nearest * factor).toPrecision(15)) === Number(value.toPrecision(15));
}

function checkString(value: string, schema: JsonObject, { pattern }: SchemaNode): Failure[] {
  const { minLength, maxLength } = schema;
  const failures: Failure[] = [];
  if (typeof minLength === "number" || typeof maxLength === "number") {
    const length = lengthOf(value);
    if (length < Number(minLength ?? 0)) {
      failures.push({ message: `must have at least ${minLength} characters` });
    }
    if (length > Number(maxLength ?? Infinity)) {
      failures.push({ message: `must have at most ${maxLength} characters` });
    }
  }
  if (pattern !== undefined && !pattern.test(value)) {
    failures.push({ message: `must match the pattern ${quote(schema.pattern)}` });
  }
  return failures;
}

/** Counts code points. */
function lengthOf(text: string): number {
  let pairs = 0;
  for (const _pair of text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g)) pairs++;
  return text.length - pairs;
}

function checkArray(value: readonly unknown[], schema: JsonObject, ids: ValueIds): Failure[] {
  const { minItems, maxItems, uniqueItems } = schema;
  const failures = checkSize(value.length, { least: minItems, most: maxItems, what: "items" });
  if (uniqueItems === true && new Set(value.map((item) => ids.idOf(item))).size < value.length) {
    failures.push({ message: "must not have equal items" });
  }
  return failures;
}

function checkObject(value: object, schema: JsonObject): Failure[] {
  const { minProperties, maxProperties, required, dependentRequired, dependencies } = schema;
  const size = Object.keys(value).length;
  const failures = checkSize(size, { least: minProperties, most: maxProperties, what: "properties" });
  const names = new Set(Array.isArray(required) ? required.map(String) : []);
  for (const dependents of [dependentRequired, dependencies]) {
    for (const [name, needed] of Object.entries(dependents ?? {})) {
      if (!Object.hasOwn(value, name) || !Array.isArray(needed)) continue;
      for (const one of needed) names.add(String(one));
    }
  }
  for (const name of names) {
    if (!Object.hasOwn(value, name)) failures.push({ message: "is required", member: name });
  }
  return failures;
}

function checkSize(
  size: number,
  { least, most, what }: { least: unknown; most: unknown; what: string },
): Failure[] {
  if (typeof least === "number" && size < least) return [{ message: `must have at least ${least} ${what}` }];
  if (typeof most === "number" && size > most) return [{ message: `must have at most ${most} ${what}` }];
  return [];
}
