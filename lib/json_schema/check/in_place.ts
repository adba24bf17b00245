import { isObject } from "../../base/json.ts";
import type { CheckContext, Result, Scope } from "./context.ts";
import type { Complaint } from "../complaint.ts";
import type { SchemaNode } from "../document.ts";
import type { Reference } from "../references.ts";

/** Checks the keywords whose subschemas apply to the same value. */
export function checkInPlace(context: CheckContext): void {
  const { node, references, scope } = context;
  for (const reference of references) context.merge(context.check(toTarget(reference, scope, context)));
  for (const subschema of node.lists.get("allOf") ?? []) context.merge(context.check(subschema));
  checkChoices(context);
  const not = node.one.get("not");
  if (not !== undefined && context.check(not).complaints.length === 0) {
    context.complain("must not be valid under `not`");
  }
  checkCondition(context);
  checkDependents(context);
}

/** Returns where a reference leads: for a dynamic one, to the outermost resource that has the anchor. */
function toTarget({ target, dynamicAnchor }: Reference, scope: Scope, context: CheckContext): SchemaNode {
  if (dynamicAnchor === undefined) return target;
  let found = target;
  let scopes = 0;
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer) {
    found = one.resource.dynamicAnchors.get(dynamicAnchor) ?? found;
    scopes++;
  }
  context.spend(Math.floor(scopes / ENTRIES_PER_STEP));
  return found;
}

function checkChoices(context: CheckContext): void {
  const { node, at } = context;
  for (const keyword of ["anyOf", "oneOf"]) {
    const subschemas = node.lists.get(keyword);
    if (subschemas === undefined) continue;
    const results = subschemas.map((subschema) => context.check(subschema));
    const valid = results.filter(({ complaints }) => complaints.length === 0);
    if (valid.length === 0) {
      context.add(nearestComplaints(results, { path: at.pointer, keyword }));
    } else if (keyword === "oneOf" && valid.length > 1) {
      context.complain("must be valid under exactly one schema of `oneOf`, and is under more");
    } else for (const result of valid) context.merge(result);
  }
}

/**
 * Returns the complaints of the alternative that the value was probably meant for: one of the same kind as the value,
 * as its type and its constants say, with the fewest complaints.
 */
function nearestComplaints(
  results: readonly Result[],
  { path, keyword }: { path: string; keyword: string },
): readonly Complaint[] {
  const isOther = ({ complaints }: Result) => complaints.some((one) => one.mismatch && one.path === path);
  const wrongChoices = ({ complaints }: Result) =>
    complaints.filter(({ mismatch }) => mismatch === "choice").length;
  const [nearest] = results.filter((result) => !isOther(result)).sort((one, other) =>
    wrongChoices(one) - wrongChoices(other) || one.complaints.length - other.complaints.length
  );
  if (nearest !== undefined) return nearest.complaints;
  const messages = [
    ...new Set(results.flatMap(({ complaints }) => complaints.map(({ message }) => message))),
  ];
  const types = messages.filter((message) => /^must be [a-z]+( or [a-z]+)*$/.test(message));
  const message = types.length === messages.length
    ? `must be ${types.map((type) => type.slice("must be ".length)).join(" or ")}`
    : `must be valid under a schema of \`${keyword}\``;
  return [{ path, message, mismatch: "type" }];
}

function checkCondition(context: CheckContext): void {
  const { node } = context;
  const condition = node.one.get("if");
  if (condition === undefined) return;
  const result = context.check(condition);
  const holds = result.complaints.length === 0;
  if (holds) context.merge(result);
  const branch = node.one.get(holds ? "then" : "else");
  if (branch !== undefined) context.merge(context.check(branch));
}

/** How many entries of a map or a list are gone through in the time of a step. */
const ENTRIES_PER_STEP = 10;

function checkDependents(context: CheckContext): void {
  const { node, at: { value } } = context;
  if (!isObject(value)) return;
  for (const keyword of ["dependentSchemas", "dependencies"]) {
    const dependents = node.maps.get(keyword);
    if (dependents === undefined) continue;
    context.spend(Math.floor(dependents.size / ENTRIES_PER_STEP));
    for (const [name, subschema] of dependents) {
      if (Object.hasOwn(value, name)) context.merge(context.check(subschema));
    }
  }
}
