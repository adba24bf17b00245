import { appendStep } from "./pointer.ts";

/** A value within the value that is checked. There is one object for each place, so it can be the key of a cache. */
export class Location {
  readonly value: unknown;
  readonly depth: number;
  readonly #parent: Location | undefined;
  readonly #step: string | number;
  #children: Map<string | number, Location> | undefined;
  #pointer: string | undefined;

  constructor(value: unknown, parent?: Location, step: string | number = "") {
    this.value = value;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.#parent = parent;
    this.#step = step;
  }

  /** Returns the location of a member or item. */
  child(step: string | number, value: unknown): Location {
    this.#children ??= new Map();
    let found = this.#children.get(step);
    if (found === undefined) this.#children.set(step, found = new Location(value, this, step));
    return found;
  }

  /** JSON pointer to the value. */
  get pointer(): string {
    return this.#pointer ??= this.#parent === undefined ? "" : appendStep(this.#parent.pointer, this.#step);
  }
}
