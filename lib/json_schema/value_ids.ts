import { textKey } from "../base/hash/text_key.ts";
import { CostError } from "./schema_error.ts";

/**
 * Gives JSON values numbers: the same one to values that JSON Schema takes as equal. The order of members has no
 * meaning, and neither has the notation of a number.
 *
 * Time and memory are linear in the values. A list or object is known by the numbers of its parts, so that a text that
 * is nested deep is not copied at each level, and an object that is asked for at each level is read once.
 *
 * @example Usage
 * ```ts
 * import { ValueIds } from "./value_ids.ts";
 *
 * const ids = new ValueIds();
 * if (ids.idOf({ a: 1, b: [2] }) !== ids.idOf({ b: [2], a: 1.0 })) throw new Error("not equal");
 * if (ids.idOf("1") === ids.idOf(1)) throw new Error("equal");
 * ```
 */
export class ValueIds {
  readonly #primitives = new Map<unknown, number>();
  readonly #compounds = new Map<string, number>();
  readonly #known = new WeakMap<object, number>();
  #next = 0;

  /** @throws {CostError} if the value is nested too deep. */
  idOf(value: unknown): number {
    return this.#idOf(value, 0);
  }

  #idOf(value: unknown, depth: number): number {
    if (typeof value === "string") return this.#idIn(this.#primitives, textKey(value));
    if (typeof value !== "object" || value === null) return this.#idIn(this.#primitives, value);
    let id = this.#known.get(value);
    if (id === undefined) {
      this.#known.set(value, id = this.#idIn(this.#compounds, this.#describe(value, depth + 1)));
    }
    return id;
  }

  #describe(value: object, depth: number): string {
    if (depth > MAX_DEPTH) throw new CostError("Cannot compare the value: it is nested too deep");
    if (Array.isArray(value)) return `[${value.map((item) => this.#idOf(item, depth)).join()}]`;
    const members = Object.entries(value).map(([name, member]) =>
      `${this.#idOf(name, depth)}:${this.#idOf(member, depth)}`
    );
    return `{${members.sort().join()}}`;
  }

  #idIn<Key>(ids: Map<Key, number>, key: Key): number {
    let id = ids.get(key);
    if (id === undefined) ids.set(key, id = this.#next++);
    return id;
  }
}

/** True if two JSON values are equal, as JSON Schema takes them. @throws {CostError} if one is nested too deep. */
export function isEqualJson(one: unknown, other: unknown): boolean {
  const ids = new ValueIds();
  return ids.idOf(one) === ids.idOf(other);
}

/** How deep a value may be nested. */
const MAX_DEPTH = 600;
