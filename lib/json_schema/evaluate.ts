import { isObject, type JsonObject } from "../base/json.ts";
import { checkAssertions } from "./assertions.ts";
import { checkItems } from "./check_items.ts";
import { checkMembers } from "./check_members.ts";
import { checkInPlace } from "./check_in_place.ts";
import { type Complaint, MAX_COMPLAINTS } from "./complaint.ts";
import type { CheckContext, Result, Scope } from "./check_context.ts";
import type { SchemaDocument, SchemaNode } from "./document.ts";
import { Evaluated } from "./evaluated.ts";
import type { Location } from "./location.ts";
import { appendStep } from "./pointer.ts";
import type { References } from "./references.ts";
import { CostError } from "./schema_error.ts";

/** How deep the check may go, in schemas. */
const MAX_DEPTH = 600;

/** The check of one value against a document. */
export class Evaluation {
  readonly document: SchemaDocument;
  readonly references: References;
  readonly #results = new Map<SchemaNode, Map<Location, Result>>();
  #steps: number;
  #depth = 0;

  constructor(document: SchemaDocument, references: References, { maxSteps }: { maxSteps: number }) {
    this.document = document;
    this.references = references;
    this.#steps = maxSteps;
  }

  /**
   * Checks a value against a schema.
   *
   * A schema that references lead to is checked once at each place. So the time grows with the schema and the value, and
   * not with the number of ways that lead from one to the other.
   *
   * @throws {CostError} if the check takes too many steps, or goes too deep.
   */
  check(node: SchemaNode, at: Location, scope?: Scope): Result {
    if (this.document.hasDynamicRefs) return this.#check(node, at, scope);
    let results = this.#results.get(node);
    if (results === undefined) this.#results.set(node, results = new Map());
    let result = results.get(at);
    if (result === undefined) results.set(at, result = this.#check(node, at, scope));
    return result;
  }

  /** @throws {CostError} if no steps are left. */
  spend(steps: number): void {
    this.#steps -= steps;
    if (this.#steps < 0) throw new CostError("Cannot check the value: the check takes too many steps");
  }

  #check(node: SchemaNode, at: Location, outer: Scope | undefined): Result {
    this.spend(1);
    if (++this.#depth > MAX_DEPTH) throw new CostError("Cannot check the value: it is nested too deep");
    try {
      const { schema } = node;
      if (isObject(schema)) return this.#checkSchema(schema, node, { at, outer });
      const complaints = schema ? [] : [{ path: at.pointer, message: "is not allowed" }];
      return { complaints, evaluated: new Evaluated() };
    } finally {
      this.#depth--;
    }
  }

  #checkSchema(
    schema: JsonObject,
    node: SchemaNode,
    { at, outer }: { at: Location; outer: Scope | undefined },
  ): Result {
    const scope = outer?.resource === node.resource ? outer : { resource: node.resource, outer };
    const complaints: Complaint[] = [];
    const evaluated = new Evaluated();
    const { failures, steps } = checkAssertions(at.value, schema, node);
    this.spend(steps);
    for (const { message, mismatch, member } of failures) {
      const path = member === undefined ? at.pointer : appendStep(at.pointer, member);
      complaints.push({ path, message, mismatch });
    }
    const context: CheckContext = {
      node,
      at,
      evaluated,
      references: this.references.get(node) ?? [],
      scope,
      spend: (steps) => this.spend(steps),
      add: (more) => {
        if (complaints.length < MAX_COMPLAINTS) complaints.push(...more);
      },
      merge: (result) => {
        context.add(result.complaints);
        if (this.document.hasUnevaluated && result.complaints.length === 0) {
          evaluated.addAll(result.evaluated);
        }
      },
      complain: (message) => complaints.push({ path: at.pointer, message }),
      check: (subschema, location = at) => this.check(subschema, location, scope),
    };
    checkInPlace(context);
    if (Array.isArray(at.value)) checkItems(context, at.value);
    else if (isObject(at.value)) checkMembers(context, at.value);
    return { complaints: complaints.slice(0, MAX_COMPLAINTS), evaluated };
  }
}
