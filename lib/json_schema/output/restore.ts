import { isObject, type JsonObject } from "../../base/json.ts";
import { inPlaceOf } from "../check/progress.ts";
import type { SchemaNode } from "../document.ts";
import { Evaluation } from "../evaluate.ts";
import { Location } from "../location.ts";
import type { Schema } from "../schema.ts";

/** How many steps the search for added nulls may take. */
const MAX_STEPS = 500_000;

/**
 * Removes the members that are `null` because strict mode has no optional properties: those that are optional, and of
 * which the schema does not allow `null`.
 *
 * @throws {CostError} if that takes too many steps.
 *
 * @example Usage
 * ```ts
 * import { withoutAddedNulls } from "./restore.ts";
 * import { Schema } from "../schema.ts";
 *
 * const schema = new Schema({ type: "object", properties: { note: { type: "string" } } });
 * if (JSON.stringify(withoutAddedNulls({ note: null }, schema)) !== "{}") throw new Error("null is left");
 * ```
 */
export function withoutAddedNulls(value: unknown, schema: Schema): unknown {
  const evaluation = new Evaluation(schema.document, schema.references, { maxSteps: MAX_STEPS });
  const restorer = new Restorer(schema, evaluation);
  return restorer.restore(value, [schema.document.root]);
}

class Restorer {
  readonly #schema: Schema;
  readonly #evaluation: Evaluation;

  constructor(schema: Schema, evaluation: Evaluation) {
    this.#schema = schema;
    this.#evaluation = evaluation;
  }

  /** Restores a value to which these schemas may apply. Returns the same value if nothing is removed. */
  restore(value: unknown, nodes: readonly SchemaNode[]): unknown {
    if (typeof value !== "object" || value === null || nodes.length === 0) return value;
    const all = this.#withInPlace(nodes);
    if (Array.isArray(value)) {
      const items = value.map((item, index) =>
        this.restore(item, all.flatMap((node) => itemSchemas(node, index)))
      );
      return items.every((item, index) => item === value[index]) ? value : items;
    }
    return isObject(value) ? this.#restoreMembers(value, all) : value;
  }

  #restoreMembers(value: JsonObject, nodes: readonly SchemaNode[]): JsonObject {
    const members = Object.entries(value).flatMap(([name, member]): [string, unknown][] => {
      const schemas = nodes.flatMap((node) => node.maps.get("properties")?.get(name) ?? []);
      if (member === null && nodes.some((node) => isOptional(name, node)) && !this.#allowNull(schemas)) {
        return [];
      }
      return [[name, this.restore(member, schemas)]];
    });
    const unchanged = members.length === Object.keys(value).length &&
      members.every(([name, member]) => value[name] === member);
    return unchanged ? value : Object.fromEntries(members);
  }

  #allowNull(schemas: readonly SchemaNode[]): boolean {
    return schemas.some((node) => this.#evaluation.check(node, new Location(null)).complaints.length === 0);
  }

  /** Returns the schemas and all that may apply to the same value by way of them. */
  #withInPlace(nodes: readonly SchemaNode[]): SchemaNode[] {
    const all = new Set(nodes);
    for (const node of all) {
      this.#evaluation.spend(1);
      for (const one of inPlaceOf(node, this.#schema.references)) all.add(one);
    }
    return [...all];
  }
}

function isOptional(name: string, { schema, maps }: SchemaNode): boolean {
  if (!isObject(schema) || maps.get("properties")?.has(name) !== true) return false;
  return !Array.isArray(schema.required) || !schema.required.includes(name);
}

function itemSchemas({ one, lists }: SchemaNode, index: number): SchemaNode[] {
  const list = lists.get("items");
  const prefix = list ?? lists.get("prefixItems") ?? [];
  const rest = list === undefined ? one.get("items") : one.get("additionalItems");
  const found = prefix[index] ?? rest;
  return found === undefined ? [] : [found];
}
