import type { Complaint } from "../complaint.ts";
import type { Resource, SchemaNode } from "../document.ts";
import type { Evaluated } from "../evaluated.ts";
import type { Location } from "../location.ts";
import type { Reference } from "../references.ts";

/** What came of the check of a value against one schema; the value is valid if there are no complaints. */
export interface Result {
  readonly complaints: readonly Complaint[];
  /** Undefined if the document has no keyword that depends on it. */
  readonly evaluated: Evaluated | undefined;
}

/** The resources on the way to a schema, the innermost first; they decide where a `$dynamicRef` leads. */
export interface Scope {
  readonly resource: Resource;
  readonly outer: Scope | undefined;
}

/** What the checks of the keywords of one schema have in common. */
export interface CheckContext extends Result {
  readonly node: SchemaNode;
  readonly at: Location;
  readonly references: readonly Reference[];
  readonly scope: Scope;
  /** True if there are as many complaints as are collected, so that the rest need not be checked. */
  readonly full: boolean;
  /** Adds complaints, of the value or of a part. */
  add(complaints: readonly Complaint[]): void;
  /** Adds a complaint about the value itself. */
  complain(message: string): void;
  /** Adds the result of a schema that must be valid for the same value. */
  merge(result: Result): void;
  /** Checks a subschema, by default for the same value. */
  check(subschema: SchemaNode, location?: Location): Result;
  /** Counts steps. @throws {CostError} if no steps are left. */
  spend(steps: number): void;
}
