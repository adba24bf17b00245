import { assertProgress } from "./check/progress.ts";
import { assertSatisfiable } from "./check/satisfiable.ts";
import type { Complaint } from "./complaint.ts";
import { SchemaDocument } from "./document.ts";
import { Evaluation } from "./evaluate.ts";
import { Location } from "./location.ts";
import { type References, resolveReferences } from "./references.ts";

/** How many steps a check may take, in subschemas applied to values: about a second. */
const MAX_STEPS = 500_000;

/**
 * A JSON Schema of draft 2020-12, or of an older draft down to 4, ready to check values.
 *
 * There is no code generation, no network, and no pattern that takes more than linear time. `format` and `content…` are
 * annotations, as the specification has it.
 *
 * @example Usage
 * ```ts
 * import { Schema } from "./schema.ts";
 *
 * const schema = new Schema({ type: "object", properties: { qty: { type: "integer" } }, required: ["qty"] });
 * const [complaint] = schema.check({ qty: "3" });
 * if (complaint?.path !== "/qty" || complaint.message !== "must be integer") throw new Error("not found");
 * ```
 */
export class Schema {
  readonly document: SchemaDocument;
  readonly references: References;

  /** @throws {SchemaError} if the schema is invalid, too costly, or refers to what it does not have. */
  constructor(value: unknown) {
    this.document = new SchemaDocument(value);
    this.references = resolveReferences(this.document);
    assertProgress(this.references);
  }

  /** @throws {SchemaError} if no finite value is valid, as far as that can be found. */
  assertSatisfiable(): void {
    assertSatisfiable(this.document, this.references);
  }

  /**
   * Checks a value and returns what is wrong with it; nothing if it is valid.
   *
   * @throws {CostError} if the check takes too many steps, or the value is nested too deep.
   */
  check(value: unknown, { maxSteps = MAX_STEPS }: { maxSteps?: number } = {}): readonly Complaint[] {
    const evaluation = new Evaluation(this.document, this.references, { maxSteps });
    return evaluation.check(this.document.root, new Location(value)).complaints;
  }
}
