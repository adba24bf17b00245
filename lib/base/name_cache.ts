/** Maximum length of a name whose value is kept. */
const MAX_NAME_CHARS = 512;

/**
 * Values that follow from names alone, and take long to make. Clients choose the names: at most `max` values are kept,
 * and none of a long name.
 *
 * @example Usage
 * ```ts
 * import { NameCache } from "./name_cache.ts";
 *
 * const lengths = new NameCache<number>(100);
 * if (lengths.get("model", (name) => name.length) !== 5) throw new Error("not its length");
 * ```
 */
export class NameCache<Value> {
  readonly #max: number;
  readonly #values = new Map<string, Value>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Returns the value of a name, which `create` makes. When the cache is full, it is emptied. */
  get(name: string, create: (name: string) => Value): Value {
    const known = this.#values.get(name);
    if (known !== undefined) return known;
    const value = create(name);
    if (name.length > MAX_NAME_CHARS) return value;
    if (this.#values.size >= this.#max) this.#values.clear();
    this.#values.set(name, value);
    return value;
  }
}
