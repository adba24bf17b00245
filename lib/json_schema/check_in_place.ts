import { isObject } from "../base/json.ts";
import type { CheckContext, Result, Scope } from "./check_context.ts";
import type { Complaint } from "./complaint.ts";
import type { SchemaNode } from "./document.ts";
import type { Reference } from "./references.ts";

/** Checks the keywords whose subschemas apply to the same value. */
export function checkInPlace(context: CheckContext): void {
  const { node, merge, check, references, scope } = context;
  for (const reference of references) merge(check(toTarget(reference, scope)));
  for (const subschema of node.lists.get("allOf") ?? []) merge(check(subschema));
  checkChoices(context);
  const not = node.one.get("not");
  if (not !== undefined && check(not).complaints.length === 0) {
    context.complain("must not be valid under `not`");
  }
  checkCondition(context);
  checkDependents(context);
}

/** Returns where a reference leads: for a dynamic one, to the outermost resource that has the anchor. */
function toTarget({ target, dynamicAnchor }: Reference, scope: Scope): SchemaNode {
  if (dynamicAnchor === undefined) return target;
  let found = target;
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer) {
    found = one.resource.dynamicAnchors.get(dynamicAnchor) ?? found;
  }
  return found;
}

function checkChoices({ node, at, add, merge, check, complain }: CheckContext): void {
  for (const keyword of ["anyOf", "oneOf"]) {
    const subschemas = node.lists.get(keyword);
    if (subschemas === undefined) continue;
    const results = subschemas.map((subschema) => check(subschema));
    const valid = results.filter(({ complaints }) => complaints.length === 0);
    if (valid.length === 0) {
      add(nearestComplaints(results, { path: at.pointer, keyword }));
    } else if (keyword === "oneOf" && valid.length > 1) {
      complain("must be valid under exactly one schema of `oneOf`, and is under more");
    } else valid.forEach(merge);
  }
}

/**
 * Returns the complaints of the alternative that the value was probably meant for: one of the same kind as the value, as
 * its type and its constants say, with the fewest complaints.
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

function checkCondition({ node, merge, check }: CheckContext): void {
  const condition = node.one.get("if");
  if (condition === undefined) return;
  const result = check(condition);
  const holds = result.complaints.length === 0;
  if (holds) merge(result);
  const branch = node.one.get(holds ? "then" : "else");
  if (branch !== undefined) merge(check(branch));
}

function checkDependents({ node, at: { value }, merge, check }: CheckContext): void {
  if (!isObject(value)) return;
  for (const keyword of ["dependentSchemas", "dependencies"]) {
    for (const [name, subschema] of node.maps.get(keyword) ?? []) {
      if (Object.hasOwn(value, name)) merge(check(subschema));
    }
  }
}
