import { isObject, type JsonObject } from "../base/json.ts";
import { checkAssertions } from "./assertions.ts";
import type { CheckContext, Result, Scope } from "./check/context.ts";
import { checkInPlace } from "./check/in_place.ts";
import { checkItems } from "./check/items.ts";
import { checkMembers } from "./check/members.ts";
import { type Complaint, MAX_COMPLAINTS } from "./complaint.ts";
import type { SchemaDocument, SchemaNode } from "./document.ts";
import { Evaluated } from "./evaluated.ts";
import type { Location } from "./location.ts";
import { appendStep } from "./pointer.ts";
import type { Reference, References } from "./references.ts";
import { CostError } from "./schema_error.ts";
import type { StepBudget } from "./step_budget.ts";

/** How deep the check may go, in schemas. */
const MAX_DEPTH = 600;

/** How many checked members and items are noted in the time of a step. */
const EVALUATED_PER_STEP = 10;

const VALID: Result = { complaints: [], evaluated: undefined };

/** The check of one value against a document. */
export class Evaluation {
  readonly document: SchemaDocument;
  readonly references: References;
  /** Results by schema and place, for the schemas that references lead to. */
  readonly #results = new Map<SchemaNode, Map<Location, Result>>();
  readonly #budget: StepBudget;
  #depth = 0;

  constructor(document: SchemaDocument, references: References, budget: StepBudget) {
    this.document = document;
    this.references = references;
    this.#budget = budget;
    // A dynamic reference leads elsewhere when it is reached from elsewhere.
    if (document.hasDynamicRefs) return;
    for (const { target } of [...references.values()].flat()) this.#results.set(target, new Map());
  }

  /**
   * Checks a value against a schema.
   *
   * A schema that references lead to is checked once at each place. So the time grows with the schema and the value,
   * and not with the number of ways that lead from one to the other.
   *
   * @throws {CostError} if the check takes too many steps, or goes too deep.
   */
  check(node: SchemaNode, at: Location, scope?: Scope): Result {
    const results = this.#results.get(node);
    if (results === undefined) return this.#check(node, at, scope);
    let result = results.get(at);
    if (result === undefined) results.set(at, result = this.#check(node, at, scope));
    return result;
  }

  /** @throws {CostError} if no steps are left. */
  spend(steps: number): void {
    this.#budget.spend(steps);
  }

  #check(node: SchemaNode, at: Location, outer: Scope | undefined): Result {
    this.spend(1);
    const { schema, resource } = node;
    if (schema === true) return VALID;
    if (schema === false) {
      return { complaints: [{ path: at.pointer, message: "is not allowed" }], evaluated: undefined };
    }
    if (++this.#depth > MAX_DEPTH) throw new CostError("Cannot check the value: it is nested too deep");
    try {
      const scope = outer?.resource === resource ? outer : { resource, outer };
      return new SchemaCheck(this, node, { at, scope }).run(schema);
    } finally {
      this.#depth--;
    }
  }
}

/** The check of one value against one schema. */
class SchemaCheck implements CheckContext {
  readonly node: SchemaNode;
  readonly at: Location;
  readonly scope: Scope;
  readonly complaints: Complaint[] = [];
  readonly evaluated: Evaluated | undefined;
  readonly #evaluation: Evaluation;

  constructor(evaluation: Evaluation, node: SchemaNode, { at, scope }: { at: Location; scope: Scope }) {
    this.#evaluation = evaluation;
    this.node = node;
    this.at = at;
    this.scope = scope;
    this.evaluated = evaluation.document.hasUnevaluated ? new Evaluated() : undefined;
  }

  run(schema: JsonObject): Result {
    const { at } = this;
    const { failures, steps } = checkAssertions(at.value, schema, {
      node: this.node,
      ids: this.#evaluation.document.ids,
    });
    this.spend(steps);
    for (const { message, mismatch, member } of failures) {
      const path = member === undefined ? at.pointer : appendStep(at.pointer, member);
      this.add([{ path, message, mismatch }]);
    }
    checkInPlace(this);
    if (Array.isArray(at.value)) checkItems(this, at.value);
    else if (isObject(at.value)) checkMembers(this, at.value);
    return { complaints: this.complaints, evaluated: this.evaluated };
  }

  get references(): readonly Reference[] {
    return this.#evaluation.references.get(this.node) ?? [];
  }

  get full(): boolean {
    return this.complaints.length >= MAX_COMPLAINTS;
  }

  add(complaints: readonly Complaint[]): void {
    for (const complaint of complaints) if (!this.full) this.complaints.push(complaint);
  }

  complain(message: string): void {
    this.add([{ path: this.at.pointer, message }]);
  }

  merge({ complaints, evaluated }: Result): void {
    this.add(complaints);
    if (complaints.length > 0 || evaluated === undefined) return;
    this.spend(Math.floor(evaluated.size / EVALUATED_PER_STEP));
    this.evaluated?.addAll(evaluated);
  }

  check(subschema: SchemaNode, location: Location = this.at): Result {
    return this.#evaluation.check(subschema, location, this.scope);
  }

  spend(steps: number): void {
    this.#evaluation.spend(steps);
  }
}
