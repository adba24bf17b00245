import type { JsonObject } from "../../base/json.ts";
import { patternSteps } from "../assertions.ts";
import type { CheckContext } from "./context.ts";
import type { SchemaNode } from "../document.ts";
import { Location } from "../location.ts";

/** Checks the members of an object. */
export function checkMembers(context: CheckContext, value: JsonObject): void {
  const { node, at, evaluated } = context;
  const additional = node.one.get("additionalProperties");
  const names = node.one.get("propertyNames");
  const unevaluated = node.one.get("unevaluatedProperties");
  const members = Object.entries(value);
  for (const [name, member] of members) {
    if (context.full) return;
    const found = schemasOf(context, name);
    const subschemas = found.length === 0 && additional !== undefined ? [additional] : found;
    for (const subschema of subschemas) {
      context.add(context.check(subschema, at.child(name, member)).complaints);
    }
    if (subschemas.length > 0) evaluated?.addMember(name);
    if (names !== undefined) checkName(context, names, { name, member });
  }
  if (unevaluated === undefined || evaluated === undefined) return;
  for (const [name, member] of members) {
    if (evaluated.hasMember(name)) continue;
    context.add(context.check(unevaluated, at.child(name, member)).complaints);
    evaluated.addMember(name);
  }
}

/** Returns the subschemas of `properties` and `patternProperties` for a name. */
function schemasOf(context: CheckContext, name: string): SchemaNode[] {
  const { maps, patternProperties } = context.node;
  const property = maps.get("properties")?.get(name);
  const found = property === undefined ? [] : [property];
  for (const { pattern, node: subschema } of patternProperties) {
    context.spend(patternSteps(name, pattern.size));
    if (pattern.test(name)) found.push(subschema);
  }
  return found;
}

function checkName(
  context: CheckContext,
  subschema: SchemaNode,
  { name, member }: { name: string; member: unknown },
): void {
  // A name is no part of the value, so its location is a value of its own.
  const { complaints } = context.check(subschema, new Location(name));
  if (complaints.length === 0) return;
  const path = context.at.child(name, member).pointer;
  context.add(complaints.map(({ message }) => ({ path, message: `its name ${message}` })));
}
