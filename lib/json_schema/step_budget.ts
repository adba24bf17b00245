import { CostError } from "./schema_error.ts";

/** How many steps the checks of one answer may take: at most about a second on a slow machine. */
const MAX_STEPS = 200_000;

/**
 * The steps that checks may still take. Checks with the same budget share its steps.
 *
 * A step is a subschema applied to a value; large values and long lists of names take more.
 */
export class StepBudget {
  #left: number;

  constructor(maxSteps: number = MAX_STEPS) {
    this.#left = maxSteps;
  }

  /** @throws {CostError} if no steps are left. */
  spend(steps: number): void {
    this.#left -= steps;
    if (this.#left < 0) throw new CostError("Cannot check the value: the check takes too many steps");
  }
}
