import * as v from "valibot";

/**
 * Returns true if a value is valid under a schema, as `v.is` does. That copies the value; this creates no object, and
 * takes a fifth of the time. Kinds of schemas that it does not know, it leaves to `v.is`.
 *
 * @example Usage
 * ```ts
 * import * as v from "valibot";
 * import { isValid } from "./is_valid.ts";
 *
 * const Text = v.looseObject({ type: v.literal("text"), text: v.string() });
 * if (!isValid(Text, { type: "text", text: "Hi" }) || isValid(Text, { type: "text" })) throw new Error("wrong");
 * ```
 */
export function isValid<Output>(schema: v.GenericSchema<Output>, input: unknown): input is Output {
  return predicateOf(schema)(input);
}

type Predicate = (input: unknown) => boolean;

/** The fields of valibot's schemas that decide what is valid. */
interface Schema extends v.GenericSchema {
  pipe?: readonly [Schema, ...PipeItem[]];
  entries?: Readonly<Record<string, Schema>>;
  wrapped?: Schema;
  item?: Schema;
  literal?: unknown;
  options?: readonly unknown[];
  getter?: (input: unknown) => Schema;
  check?: Predicate;
  default?: unknown;
}

type PipeItem = v.GenericSchema | v.GenericValidation | v.GenericTransformation | v.GenericMetadata;

const predicates = new WeakMap<Schema, Predicate>();

function predicateOf(schema: Schema): Predicate {
  const known = predicates.get(schema);
  if (known !== undefined) return known;
  const predicate = toPredicate(schema) ?? isOf(schema);
  predicates.set(schema, predicate);
  return predicate;
}

/** A function apart: a closure in `predicateOf` would take memory for each of its calls. */
function isOf(schema: Schema): Predicate {
  return (input) => v.is(schema, input);
}

/** Returns the predicate of a schema; `undefined` for an unknown kind. */
function toPredicate(schema: Schema): Predicate | undefined {
  const { type, pipe, entries, wrapped, item, literal, options, getter, check } = schema;
  if (schema.default !== undefined || "fallback" in schema) return undefined;
  if (pipe !== undefined) return toPipePredicate(pipe);
  switch (type) {
    case "string":
      return (input) => typeof input === "string";
    case "boolean":
      return (input) => typeof input === "boolean";
    case "number":
      return (input) => typeof input === "number" && !Number.isNaN(input);
    case "literal":
      return (input) => input === literal;
    case "picklist":
      return options && ((input) => options.includes(input));
    case "custom":
      return check;
    case "lazy":
      return getter && toLazyPredicate(getter);
    case "optional":
    case "nullish": {
      const takesNull = type === "nullish";
      const isWrapped = wrapped && predicateOf(wrapped);
      return isWrapped &&
        ((input) => input === undefined || (takesNull && input === null) || isWrapped(input));
    }
    case "array": {
      const isItem = item && predicateOf(item);
      return isItem && ((input) => Array.isArray(input) && isEach(input, isItem));
    }
    case "loose_object":
      return entries && toObjectPredicate(entries);
    default:
      return undefined;
  }
}

/**
 * Returns the predicate of a schema that is chosen by the value. A history has thousands of such values: the few
 * schemas are compared, which takes a fifth of the time of a look into the map.
 */
function toLazyPredicate(getter: (input: unknown) => Schema): Predicate {
  const chosen: { schema: Schema; predicate: Predicate }[] = [];
  return (input) => {
    const schema = getter(input);
    for (let at = 0; at < chosen.length; at++) {
      const known = chosen[at];
      if (known?.schema === schema) return known.predicate(input);
    }
    const predicate = predicateOf(schema);
    if (chosen.length < MAX_CHOSEN) chosen.push({ schema, predicate });
    return predicate(input);
  };
}

/** Maximum number of schemas that are compared. There may be more if each is made when it is chosen. */
const MAX_CHOSEN = 16;

/** True if each item of a list is valid. `every()` skips the holes of a list; for `v.is`, they are `undefined`. */
function isEach(list: readonly unknown[], isItem: Predicate): boolean {
  for (let at = 0; at < list.length; at++) if (!isItem(list[at])) return false;
  return true;
}

function toPipePredicate([schema, ...items]: readonly [Schema, ...PipeItem[]]): Predicate | undefined {
  const isTyped = predicateOf(schema);
  const validations = items.filter((item) => item.kind === "validation");
  if (validations.length < items.length) return undefined;
  return (input) =>
    isTyped(input) &&
    validations.every((item) => item["~run"]({ typed: true, value: input }, {}).issues === undefined);
}

function toObjectPredicate(entries: Readonly<Record<string, Schema>>): Predicate {
  const members = Object.entries(entries).map(([key, schema]) => ({
    key,
    isMember: predicateOf(schema),
    optional: schema.type === "optional" || schema.type === "nullish",
  }));
  return (input) => {
    if (typeof input !== "object" || input === null) return false;
    for (const { key, isMember, optional } of members) {
      const value = (input as Record<string, unknown>)[key];
      // An optional member may be undefined, whether it is there or not.
      if (value === undefined && (optional || !(key in input))) {
        if (!optional) return false;
      } else if (!isMember(value)) return false;
    }
    return true;
  };
}
