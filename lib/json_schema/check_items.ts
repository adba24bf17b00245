import { isObject } from "../base/json.ts";
import type { CheckContext } from "./check_context.ts";
import type { SchemaNode } from "./document.ts";

/** Checks the items of an array. */
export function checkItems(context: CheckContext, items: readonly unknown[]): void {
  const { node, evaluated } = context;
  // Before draft 2020-12, a list in `items` is what `prefixItems` is now, and `additionalItems` is `items`.
  const list = node.lists.get("items");
  const prefix = list ?? node.lists.get("prefixItems") ?? [];
  const rest = list === undefined ? node.one.get("items") : node.one.get("additionalItems");
  prefix.slice(0, items.length).forEach((subschema, index) => checkItem(context, subschema, index));
  evaluated.addFirstItems(prefix.length);
  if (rest !== undefined) {
    for (let index = prefix.length; index < items.length; index++) checkItem(context, rest, index);
    evaluated.addFirstItems(items.length);
  }
  checkContains(context, items);
  const unevaluated = node.one.get("unevaluatedItems");
  if (unevaluated === undefined) return;
  items.forEach((_item, index) => {
    if (!evaluated.hasItem(index)) checkItem(context, unevaluated, index);
  });
  evaluated.addFirstItems(items.length);
}

function checkItem({ at, add, check }: CheckContext, subschema: SchemaNode, index: number): void {
  const { value } = at;
  if (!Array.isArray(value)) return;
  add(check(subschema, at.child(index, value[index])).complaints);
}

function checkContains(
  { node, at, evaluated, check, complain }: CheckContext,
  items: readonly unknown[],
): void {
  const subschema = node.one.get("contains");
  if (subschema === undefined || !isObject(node.schema)) return;
  const { minContains = 1, maxContains = Infinity } = node.schema;
  let found = 0;
  items.forEach((item, index) => {
    if (check(subschema, at.child(index, item)).complaints.length > 0) return;
    found++;
    evaluated.addItem(index);
  });
  if (found < Number(minContains)) {
    complain(`must have at least ${minContains} items that \`contains\` describes`);
  }
  if (found > Number(maxContains)) {
    complain(`must have at most ${maxContains} items that \`contains\` describes`);
  }
}
