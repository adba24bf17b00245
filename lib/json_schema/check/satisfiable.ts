import { isObject } from "../../base/json.ts";
import type { SchemaDocument, SchemaNode } from "../document.ts";
import { Evaluation } from "../evaluate.ts";
import { ALL_KINDS, kindOf, type Kinds, NO_KIND } from "../kinds.ts";
import { Location } from "../location.ts";
import { type Possible, possibleKinds } from "./possible_kinds.ts";
import type { References } from "../references.ts";
import { CostError, SchemaError } from "../schema_error.ts";
import { StepBudget } from "../step_budget.ts";

/**
 * How many schemas the search may look at, and how many steps the check of listed values and that of names may take.
 */
const MAX_LOOKUPS = 200_000;
const MAX_STEPS = 100_000;

/**
 * Checks that some value is valid under a schema.
 *
 * Finds contradictions of types, limits and choices, and required members that no value satisfies. A recursive schema
 * must allow a finite value: the search begins with no value for any schema, and adds the kinds that become possible
 * until there is nothing to add. Other contradictions, such as those of patterns, are not found.
 *
 * @throws {SchemaError} if no value is valid.
 */
export function assertSatisfiable(document: SchemaDocument, references: References): void {
  if (document.hasDynamicRefs) assertEnds(document, references);
  const search = new Search(document, references);
  if (search.run() !== NO_KIND) return;
  throw new SchemaError(search.findCause(), "no finite value is valid under the schema");
}

/** Checks that the check of a value without parts ends: where dynamic references lead is known only then. */
function assertEnds(document: SchemaDocument, references: References): void {
  try {
    new Evaluation(document, references, new StepBudget()).check(document.root, new Location(null));
  } catch (cause) {
    if (!(cause instanceof CostError)) throw cause;
    throw new SchemaError("", "a dynamic reference leads to itself for the same value, without an end");
  }
}

class Search {
  readonly #document: SchemaDocument;
  readonly #references: References;
  readonly #found = new Map<SchemaNode, Possible>();
  readonly #dependents = new Map<SchemaNode, Set<SchemaNode>>();
  /** Checks listed values; undefined once that has taken too many steps. */
  #choices: Evaluation | undefined;
  #lookups = 0;
  /** How many steps the search among required names may still take. */
  #nameSteps = MAX_STEPS;

  constructor(document: SchemaDocument, references: References) {
    this.#document = document;
    this.#references = references;
    // A dynamic reference leads elsewhere when it is reached from elsewhere.
    if (!document.hasDynamicRefs) {
      this.#choices = new Evaluation(document, references, new StepBudget(MAX_STEPS));
    }
  }

  /** Returns the kinds that are possible at the root; all kinds if the search takes too long. */
  run(): Kinds {
    const queue = [...this.#references.keys()];
    const queued = new Set(queue);
    for (let node = queue.pop(); node !== undefined; node = queue.pop()) {
      queued.delete(node);
      const before = this.#kindsOf(node);
      const possible = this.#possible(node);
      if (this.#lookups > MAX_LOOKUPS) return ALL_KINDS;
      this.#found.set(node, possible);
      if (possible.kinds === before) continue;
      for (const dependent of this.#dependents.get(node) ?? []) {
        if (!queued.has(dependent)) queue.push(dependent);
        queued.add(dependent);
      }
    }
    return this.#kindsOf(this.#document.root);
  }

  /** Returns the pointer to the innermost schema that makes the root impossible. */
  findCause(): string {
    let node = this.#document.root;
    const seen = new Set([node]);
    for (let next = this.#causeOf(node); next !== undefined && !seen.has(next); next = this.#causeOf(node)) {
      seen.add(next);
      node = next;
    }
    return node.pointer;
  }

  #causeOf(node: SchemaNode): SchemaNode | undefined {
    const { cause } = this.#found.get(node) ?? {};
    return cause === undefined || this.#kindsOf(cause) === NO_KIND ? cause : undefined;
  }

  #kindsOf(node: SchemaNode): Kinds {
    return this.#found.get(node)?.kinds ?? NO_KIND;
  }

  #possible(node: SchemaNode): Possible {
    const all = this.#conjunction(node);
    const possible = possibleKinds(all, {
      lookup: (other) => this.#lookup(other, node),
      spend: (steps) => (this.#nameSteps -= steps) >= 0,
    });
    const choices = this.#kindsOfChoices(node, all);
    return choices === undefined ? possible : { ...possible, kinds: possible.kinds & choices };
  }

  #lookup(other: SchemaNode, from: SchemaNode): Kinds {
    this.#lookups++;
    let dependents = this.#dependents.get(other);
    if (dependents === undefined) this.#dependents.set(other, dependents = new Set());
    dependents.add(from);
    return this.#kindsOf(other);
  }

  /** Returns the schemas that must all be valid for a value of this schema: itself, `allOf` and references. */
  #conjunction(start: SchemaNode): SchemaNode[] {
    const all = new Set([start]);
    for (const node of all) {
      this.#lookups++;
      for (const one of node.lists.get("allOf") ?? []) all.add(one);
      for (const { target, dynamicAnchor } of this.#references.get(node) ?? []) {
        if (dynamicAnchor === undefined) all.add(target);
      }
    }
    return [...all];
  }

  /** Returns the kinds of the listed values that are valid; undefined if the schema lists none. */
  #kindsOfChoices(node: SchemaNode, all: readonly SchemaNode[]): Kinds | undefined {
    const lists = all.flatMap(({ schema }) => isObject(schema) ? listedValues(schema) : []);
    const [shortest] = lists.sort((one, other) => one.length - other.length);
    if (shortest === undefined) return undefined;
    try {
      const choices = this.#choices;
      if (choices === undefined) return kindsOfList(shortest);
      const valid = shortest.filter((value) =>
        choices.check(node, new Location(value)).complaints.length === 0
      );
      return kindsOfList(valid);
    } catch (error) {
      if (!(error instanceof CostError)) throw error;
      this.#choices = undefined;
      return kindsOfList(shortest);
    }
  }
}

/** Returns the kinds of the values of a list, computed once for each list. */
function kindsOfList(list: readonly unknown[]): Kinds {
  let kinds = KINDS_OF_LISTS.get(list);
  if (kinds === undefined) {
    KINDS_OF_LISTS.set(list, kinds = list.reduce((all: Kinds, value) => all | kindOf(value), NO_KIND));
  }
  return kinds;
}

const KINDS_OF_LISTS = new WeakMap<readonly unknown[], Kinds>();

function listedValues(schema: { [keyword: string]: unknown }): (readonly unknown[])[] {
  return [
    ...(Array.isArray(schema.enum) ? [schema.enum] : []),
    ...(Object.hasOwn(schema, "const") ? [[schema.const]] : []),
  ];
}
