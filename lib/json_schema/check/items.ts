import { isObject } from "../../base/json.ts";
import type { CheckContext } from "./context.ts";
import type { SchemaNode } from "../document.ts";

/** Checks the items of an array. */
export function checkItems(context: CheckContext, items: readonly unknown[]): void {
  const { node, evaluated } = context;
  // Before draft 2020-12, a list in `items` is what `prefixItems` is now, and `additionalItems` is `items`.
  const list = node.lists.get("items");
  const prefix = list ?? node.lists.get("prefixItems") ?? [];
  const rest = list === undefined ? node.one.get("items") : node.one.get("additionalItems");
  for (let index = 0; index < items.length && !context.full; index++) {
    const subschema = prefix[index] ?? rest;
    if (subschema === undefined) break;
    checkItem(context, subschema, { index, items });
  }
  evaluated?.addFirstItems(rest === undefined ? prefix.length : items.length);
  checkContains(context, items);
  const unevaluated = node.one.get("unevaluatedItems");
  if (unevaluated === undefined || evaluated === undefined) return;
  for (let index = 0; index < items.length && !context.full; index++) {
    if (!evaluated.hasItem(index)) checkItem(context, unevaluated, { index, items });
  }
  evaluated.addFirstItems(items.length);
}

function checkItem(
  context: CheckContext,
  subschema: SchemaNode,
  { index, items }: { index: number; items: readonly unknown[] },
): void {
  context.add(context.check(subschema, context.at.child(index, items[index])).complaints);
}

function checkContains(context: CheckContext, items: readonly unknown[]): void {
  const { node, at, evaluated } = context;
  const subschema = node.one.get("contains");
  if (subschema === undefined || !isObject(node.schema)) return;
  const { minContains = 1, maxContains = Infinity } = node.schema;
  let found = 0;
  items.forEach((item, index) => {
    if (context.check(subschema, at.child(index, item)).complaints.length > 0) return;
    found++;
    evaluated?.addItem(index);
  });
  const describes = "items that `contains` describes";
  if (found < Number(minContains)) context.complain(`must have at least ${minContains} ${describes}`);
  if (found > Number(maxContains)) context.complain(`must have at most ${maxContains} ${describes}`);
}
