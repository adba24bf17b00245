import { findStringEnd } from "../../base/json_bounds.ts";
import { isObject } from "../../base/json.ts";

/** A bracket, comma, colon or quote, or a literal of a JSON text, after blanks. */
const TOKEN = /\s*([{}[\],:"]|[^\s{}[\],:"]+)/y;

/**
 * Returns a JSON text without blanks and without the members that `kept` does not have. `kept` is the parsed text, from
 * which members were removed. Literals stay as they are written: a number of 20 digits is not rounded.
 *
 * @example Usage
 * ```ts
 * import { pickText } from "./pick_text.ts";
 *
 * const text = pickText('{"id": 12345678901234567890, "note": null}', { id: 12345678901234567000 });
 * if (text !== '{"id":12345678901234567890}') throw new Error(text);
 * ```
 */
export function pickText(text: string, kept: unknown): string {
  return new TextPicker(text).pick(kept);
}

/** Returns the text of the only member of an object, without blanks. */
export function memberText(text: string, value: unknown): string {
  return pickText(text, value).replace(/^\{"(?:[^"\\]|\\.)*":/, "").slice(0, -1);
}

class TextPicker {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads one value. */
  pick(kept: unknown): string {
    const token = this.#next();
    if (token === "[") return `[${this.#items(kept).join()}]`;
    return token === "{" ? `{${this.#members(kept).join()}}` : token;
  }

  #items(kept: unknown): string[] {
    const items: string[] = [];
    if (this.#peek() === "]") this.#next();
    else {
      do items.push(this.pick(Array.isArray(kept) ? kept[items.length] : undefined)); while (
        this.#next() === ","
      );
    }
    return items;
  }

  /** A name may be repeated. Its last value counts, as everywhere. */
  #members(kept: unknown): string[] {
    const members = new Map<string, string>();
    if (this.#peek() === "}") this.#next();
    else {
      do {
        const name = this.#next();
        this.#next();
        const key: string = JSON.parse(name);
        const isKept = !isObject(kept) || Object.hasOwn(kept, key);
        const value = this.pick(isObject(kept) && isKept ? kept[key] : undefined);
        if (isKept) members.set(key, `${name}:${value}`);
      } while (this.#next() === ",");
    }
    return [...members.values()];
  }

  #peek(): string {
    const start = this.#at;
    const token = this.#next();
    this.#at = start;
    return token;
  }

  #next(): string {
    TOKEN.lastIndex = this.#at;
    const [whole = "", token = ""] = TOKEN.exec(this.#text) ?? [];
    this.#at += whole.length;
    if (token !== '"') return token;
    const start = this.#at - 1;
    this.#at = findStringEnd(this.#text, start) + 1;
    return this.#text.slice(start, this.#at);
  }
}
