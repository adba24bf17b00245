import type { JsonObject } from "../base/json.ts";
import { patternSteps } from "./assertions.ts";
import type { CheckContext } from "./check_context.ts";
import type { SchemaNode } from "./document.ts";
import { Location } from "./location.ts";

/** Checks the members of an object. */
export function checkMembers(context: CheckContext, value: JsonObject): void {
  const { node, evaluated } = context;
  const additional = node.one.get("additionalProperties");
  const names = node.one.get("propertyNames");
  const properties = node.maps.get("properties");
  for (const name of Object.keys(value)) {
    let known = false;
    const property = properties?.get(name);
    if (property !== undefined) {
      known = true;
      checkMember(context, property, name);
    }
    for (const { pattern, node: subschema } of node.patternProperties) {
      context.spend(patternSteps(name, pattern.size));
      if (!pattern.test(name)) continue;
      known = true;
      checkMember(context, subschema, name);
    }
    if (additional !== undefined && !known) {
      known = true;
      checkMember(context, additional, name);
    }
    if (known) evaluated.addMember(name);
    if (names !== undefined) checkName(context, names, name);
  }
  const unevaluated = node.one.get("unevaluatedProperties");
  if (unevaluated === undefined) return;
  for (const name of Object.keys(value)) {
    if (!evaluated.hasMember(name)) checkMember(context, unevaluated, name);
  }
  evaluated.addAllMembers();
}

function checkMember({ at, add, check }: CheckContext, subschema: SchemaNode, name: string): void {
  add(check(subschema, at.child(name, Reflect.get(Object(at.value), name))).complaints);
}

function checkName({ at, check, add }: CheckContext, subschema: SchemaNode, name: string): void {
  // A name is no part of the value, so its location is a value of its own.
  const { complaints } = check(subschema, new Location(name));
  if (complaints.length === 0) return;
  const path = at.child(name, Reflect.get(Object(at.value), name)).pointer;
  add(complaints.map(({ message }) => ({ path, message: `its name ${message}` })));
}
