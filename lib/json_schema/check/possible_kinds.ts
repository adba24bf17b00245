import { isObject, type JsonObject } from "../../base/json.ts";
import { numberLimits, patternSteps } from "../assertions.ts";
import type { SchemaNode } from "../document.ts";
import {
  ALL_KINDS,
  ARRAY,
  FRACTION,
  INTEGER,
  type Kinds,
  kindsOfType,
  NO_KIND,
  OBJECT,
  STRING,
} from "../kinds.ts";

/** Kinds of values that a schema may allow, with the subschema that excludes the rest. */
export interface Possible {
  kinds: Kinds;
  /** The subschema that no value satisfies, if the kinds are none because of it. */
  cause?: SchemaNode | undefined;
}

/** What the search for possible kinds has in common. */
export interface KindSearch {
  /** Returns the kinds of values that are possible for another schema, as far as known. */
  lookup(node: SchemaNode): Kinds;
  /** Counts the steps of a search among names. Returns false if too few are left. */
  spend(steps: number): boolean;
}

/**
 * Returns the kinds of values for which schemas, which all apply to one value, can all be valid.
 *
 * The result may have too many kinds, because not every contradiction is found, but never too few.
 */
export function possibleKinds(all: readonly SchemaNode[], search: KindSearch): Possible {
  const possible: Possible = { kinds: ALL_KINDS };
  const schemas = all.map(({ schema }) => schema).filter(isObject);
  const restrict = (kinds: Kinds, cause?: SchemaNode) => {
    if ((possible.kinds & kinds) === NO_KIND) possible.cause ??= cause;
    possible.kinds &= kinds;
  };
  for (const node of all) {
    if (node.schema === false) restrict(NO_KIND, node);
    if (!isObject(node.schema)) continue;
    restrict(kindsOfType(node.schema.type), node);
    for (const keyword of ["anyOf", "oneOf"]) {
      const choices = node.lists.get(keyword);
      if (choices === undefined) continue;
      const kinds = choices.reduce((sum, choice) => sum | search.lookup(choice), NO_KIND);
      restrict(kinds, choices.length === 1 ? choices[0] : node);
    }
    restrict(~excludedKinds(node), node);
    const [condition, then, otherwise] = ["if", "then", "else"].map((keyword) => node.one.get(keyword));
    if (condition !== undefined) {
      const thenKinds = search.lookup(condition) & (then === undefined ? ALL_KINDS : search.lookup(then));
      restrict(thenKinds | (otherwise === undefined ? ALL_KINDS : search.lookup(otherwise)), node);
    }
  }
  restrict(~impossibleNumbers(schemas));
  if (limit(schemas, "minLength") > limit(schemas, "maxLength")) restrict(~STRING);
  restrict(...arrays(all, schemas, search));
  restrict(...objects(all, schemas, search));
  return possible;
}

/** Returns the kinds that `not` excludes as a whole. */
function excludedKinds({ one }: SchemaNode): Kinds {
  const schema = one.get("not")?.schema;
  if (schema === true) return ALL_KINDS;
  if (!isObject(schema)) return NO_KIND;
  const keywords = Object.keys(schema).filter((keyword) => !ANNOTATIONS.has(keyword));
  return keywords.every((keyword) => keyword === "type") ? kindsOfType(schema.type) : NO_KIND;
}

const ANNOTATIONS = new Set(["title", "description", "$comment", "default", "examples"]);

function impossibleNumbers(schemas: readonly JsonObject[]): Kinds {
  const limits = schemas.map(numberLimits);
  const most = (read: (one: typeof limits[number]) => number) => Math.max(-Infinity, ...limits.map(read));
  const least = (read: (one: typeof limits[number]) => number) => Math.min(Infinity, ...limits.map(read));
  const [minimum, above] = [most((one) => one.minimum), most((one) => one.exclusiveMinimum)];
  const [maximum, below] = [least((one) => one.maximum), least((one) => one.exclusiveMaximum)];
  const isEmpty = minimum > maximum || above >= maximum || minimum >= below || above >= below;
  const firstInteger = Math.max(Math.ceil(minimum), Math.floor(above) + 1);
  const lastInteger = Math.min(Math.floor(maximum), Math.ceil(below) - 1);
  return isEmpty ? INTEGER | FRACTION : firstInteger > lastInteger ? INTEGER : NO_KIND;
}

/** Returns the strictest value of a limit; a keyword that begins with `min` limits from below. */
function limit(schemas: readonly JsonObject[], keyword: string): number {
  const values = schemas.map((schema) => schema[keyword]).filter((value) => typeof value === "number");
  return keyword.startsWith("min") ? Math.max(0, ...values) : Math.min(Infinity, ...values);
}

type Restriction = [kinds: Kinds, cause?: SchemaNode];

function arrays(all: readonly SchemaNode[], schemas: readonly JsonObject[], search: KindSearch): Restriction {
  const minItems = limit(schemas, "minItems");
  const maxItems = limit(schemas, "maxItems");
  if (minItems > maxItems) return [~ARRAY];
  for (const { schema, one, lists } of all) {
    const list = lists.get("items");
    const prefix = list ?? lists.get("prefixItems") ?? [];
    const rest = list === undefined ? one.get("items") : one.get("additionalItems");
    const impossible = prefix.slice(0, minItems).find((node) => search.lookup(node) === NO_KIND) ??
      (minItems > prefix.length && rest !== undefined && search.lookup(rest) === NO_KIND ? rest : undefined);
    if (impossible !== undefined) return [~ARRAY, impossible];
    const contains = one.get("contains");
    if (contains === undefined || !isObject(schema)) continue;
    const { minContains = 1, maxContains = Infinity } = schema;
    if (Number(minContains) > 0 && search.lookup(contains) === NO_KIND) return [~ARRAY, contains];
    if (Number(minContains) > Math.min(Number(maxContains), maxItems)) return [~ARRAY];
  }
  return [ALL_KINDS];
}

function objects(
  all: readonly SchemaNode[],
  schemas: readonly JsonObject[],
  search: KindSearch,
): Restriction {
  const lists = schemas.map((schema): unknown[] => Array.isArray(schema.required) ? schema.required : []);
  const names = lists.reduce((sum, list) => sum + list.length, 0);
  // If it takes too long to look all names up, nothing is excluded.
  const isSearched = search.spend(Math.floor((names * (1 + all.length)) / NAMES_PER_STEP));
  const required = new Set(isSearched ? lists.flat() : []);
  const maxProperties = limit(schemas, "maxProperties");
  if (limit(schemas, "minProperties") > maxProperties || required.size > maxProperties) return [~OBJECT];
  for (const name of required) {
    let kinds = ALL_KINDS;
    for (const node of all) {
      for (const property of propertySchemas(node, String(name), search)) {
        const possible = search.lookup(property);
        kinds &= possible;
        if (kinds === NO_KIND) return [~OBJECT, possible === NO_KIND ? property : node];
      }
    }
  }
  const needsName = required.size > 0 || limit(schemas, "minProperties") > 0;
  const forNames = all.flatMap(({ one }) => one.get("propertyNames") ?? []);
  const impossible = forNames.find((node) => (search.lookup(node) & STRING) === NO_KIND);
  return needsName && impossible !== undefined ? [~OBJECT, impossible] : [ALL_KINDS];
}

const NAMES_PER_STEP = 10;

/** Returns the subschemas that apply to a member of this name. */
function propertySchemas(
  { maps, one, patternProperties }: SchemaNode,
  name: string,
  search: KindSearch,
): SchemaNode[] {
  const property = maps.get("properties")?.get(name);
  const steps = patternProperties.reduce((sum, { pattern }) => sum + patternSteps(name, pattern.size), 0);
  // If it takes too long to find out which patterns match, nothing is excluded.
  if (!search.spend(steps)) return property === undefined ? [] : [property];
  const matching = patternProperties.filter(({ pattern }) => pattern.test(name)).map(({ node }) => node);
  const found = property === undefined ? matching : [property, ...matching];
  const additional = one.get("additionalProperties");
  return found.length === 0 && additional !== undefined ? [additional] : found;
}
