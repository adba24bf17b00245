import { isObject, type JsonObject } from "../base/json.ts";
import { SUBSCHEMA_KEYWORDS } from "./keywords.ts";

/**
 * Converts the subschemas that a keyword holds directly; returns the same value if they all stay the same.
 *
 * Values that are no subschemas, such as a property's names or the values of `enum`, are returned unchanged.
 */
export function mapSubschemas(
  keyword: string,
  value: unknown,
  convert: (subschema: JsonObject) => unknown,
): unknown {
  const place = SUBSCHEMA_KEYWORDS.get(keyword);
  const map = (item: unknown) => isObject(item) ? convert(item) : item;
  if (place === undefined) return value;
  if (Array.isArray(value)) {
    if (place !== "list" && place !== "one or list") return value;
    const items = value.map(map);
    return items.every((item, at) => item === value[at]) ? value : items;
  }
  if (!isObject(value)) return value;
  if (place === "one" || place === "one or list") return convert(value);
  if (place === "list") return value;
  const members = Object.entries(value).map(([name, item]): [string, unknown] => [name, map(item)]);
  return members.every(([name, item]) => value[name] === item) ? value : Object.fromEntries(members);
}
