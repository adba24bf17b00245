/** Members and items of a value that a schema has checked; `unevaluatedProperties` and `unevaluatedItems` skip them. */
export class Evaluated {
  readonly #members = new Set<string>();
  readonly #items = new Set<number>();
  #firstItems = 0;

  /** Adds a member. */
  addMember(name: string): void {
    this.#members.add(name);
  }

  /** Adds an item. */
  addItem(index: number): void {
    this.#items.add(index);
  }

  /** Adds the first items. */
  addFirstItems(count: number): void {
    this.#firstItems = Math.max(this.#firstItems, count);
  }

  /** Number of the entries that `addAll` copies. */
  get size(): number {
    return this.#members.size + this.#items.size;
  }

  /** Adds what another schema has checked. */
  addAll(other: Evaluated): void {
    for (const name of other.#members) this.#members.add(name);
    for (const index of other.#items) this.#items.add(index);
    this.addFirstItems(other.#firstItems);
  }

  /** True if a member is checked. */
  hasMember(name: string): boolean {
    return this.#members.has(name);
  }

  /** True if an item is checked. */
  hasItem(index: number): boolean {
    return index < this.#firstItems || this.#items.has(index);
  }
}
