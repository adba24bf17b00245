/**
 * A map of at most `max` entries. When full, it drops the least recently used entry; reads and writes are uses.
 *
 * @example Usage
 * ```ts
 * import { LruMap } from "./lru.ts";
 *
 * const map = new LruMap<string, number>(2);
 * map.set("a", 1);
 * map.set("b", 2);
 * map.get("a");
 * map.set("c", 3);
 * if (map.get("b") !== undefined || map.get("a") !== 1) throw new Error("expected b to be dropped");
 * ```
 */
export class LruMap<Key, Value> {
  readonly #max: number;
  /** In order of use, least recently used first. */
  readonly #entries = new Map<Key, Value>();

  constructor(max: number) {
    this.#max = max;
  }

  /** Returns the value of a key and marks the key as most recently used. */
  get(key: Key): Value | undefined {
    const value = this.#entries.get(key);
    if (value !== undefined) this.#touch(key, value);
    return value;
  }

  /** Sets the value of a key. If the map is full, drops the least recently used entry. */
  set(key: Key, value: Value): void {
    this.#touch(key, value);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#max && oldest !== undefined) this.#entries.delete(oldest);
  }

  /** Returns the values, least recently used first. */
  values(): Value[] {
    return [...this.#entries.values()];
  }

  #touch(key: Key, value: Value): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
  }
}
