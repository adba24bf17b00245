import type { SchemaNode } from "../document.ts";
import { IN_PLACE_KEYWORDS } from "../keywords.ts";
import type { References } from "../references.ts";
import { SchemaError } from "../schema_error.ts";

/** How many schemas may apply to one value by way of each other. Each is a call on the stack. */
const MAX_CHAIN = 100;

/**
 * Checks that each schema comes to an end at one value.
 *
 * A schema may refer to itself for a part of the value, because values are finite. For the same value, it may not.
 *
 * @throws {SchemaError} if a schema applies to the same value as itself, or through too many others.
 */
export function assertProgress(references: References): void {
  const heights = new Map<SchemaNode, number>();
  const open = new Set<SchemaNode>();
  for (const start of references.keys()) {
    // An explicit stack: a chain of references can be longer than the call stack.
    const stack = [{ node: start, next: inPlaceOf(start, references) }];
    while (stack.length > 0) {
      const top = stack.at(-1);
      if (top === undefined) break;
      const { node, next } = top;
      open.add(node);
      const child = next.pop();
      if (child === undefined) {
        const below = inPlaceOf(node, references).map((one) => heights.get(one) ?? 0);
        const height = below.reduce((most, one) => Math.max(most, one), 0) + 1;
        if (height > MAX_CHAIN) {
          throw new SchemaError(
            node.pointer,
            `it leads through more than ${MAX_CHAIN} schemas for one value`,
          );
        }
        heights.set(node, height);
        open.delete(node);
        stack.pop();
      } else if (open.has(child)) {
        throw new SchemaError(node.pointer, "it refers to itself for the same value, without an end");
      } else if (!heights.has(child)) stack.push({ node: child, next: inPlaceOf(child, references) });
    }
  }
}

/** Returns the schemas that apply to the same value as a schema. */
export function inPlaceOf(node: SchemaNode, references: References): SchemaNode[] {
  return [
    ...(references.get(node) ?? []).map(({ target }) => target),
    ...IN_PLACE_KEYWORDS.flatMap((keyword) => [
      ...(node.lists.get(keyword) ?? []),
      ...(node.maps.get(keyword)?.values() ?? []),
      ...(node.one.has(keyword) ? [node.one.get(keyword)] : []),
    ]).filter((one) => one !== undefined),
  ];
}
