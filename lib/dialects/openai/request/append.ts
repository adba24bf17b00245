/**
 * Appends an item to a list, or makes the list with its first item. An engine reserves room for many items when it
 * appends to an empty list, which takes most of the memory of thousands of lists with one item.
 *
 * @example Usage
 * ```ts
 * import { append } from "./append.ts";
 *
 * let list: number[] | undefined;
 * for (const number of [1, 2]) list = append(list, number);
 * if (list?.join() !== "1,2") throw new Error(String(list));
 * ```
 */
export function append<Item>(list: Item[] | undefined, item: Item): Item[] {
  if (list === undefined) return [item];
  list.push(item);
  return list;
}
