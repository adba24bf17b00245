/**
 * Repairs the strings of a JSON text, received in fragments: control characters and escapes that JSON does not have.
 *
 * The meaning is plain: a control character stands for itself, `\'` for an apostrophe, and a backslash before any other
 * character that is no escape for itself. All other text is returned unchanged. An incomplete escape is held back.
 *
 * @example Usage
 * ```ts
 * import { StringRepair } from "./string_repair.ts";
 *
 * const repair = new StringRepair();
 * const text = repair.push('{"a":"one\n\\') + repair.push('d"}');
 * if (text !== '{"a":"one\\n\\\\d"}') throw new Error(text);
 * ```
 */
export class StringRepair {
  #quoted = false;
  /** Beginning of an escape. */
  #escape = "";

  /** Adds a fragment and returns the repaired text. */
  push(fragment: string): string {
    let out = "";
    let from = 0;
    for (let at = 0; at < fragment.length; at++) {
      const char = fragment.charAt(at);
      if (this.#escape !== "") {
        const ended = this.#endEscape(char);
        if (ended === undefined) {
          from = at + 1;
          continue;
        }
        out += ended.text;
        from = ended.taken ? at + 1 : at;
        this.#escape = "";
        if (ended.taken) continue;
      }
      if (char === '"') this.#quoted = !this.#quoted;
      else if (!this.#quoted) continue;
      else if (char === "\\") {
        out += fragment.slice(from, at);
        this.#escape = char;
        from = at + 1;
      } else if (char < " ") {
        out += fragment.slice(from, at) + JSON.stringify(char).slice(1, -1);
        from = at + 1;
      }
    }
    return out + fragment.slice(from);
  }

  /**
   * Adds a character to the escape. Returns the text of the escape once it has ended, and whether it has the character.
   */
  #endEscape(char: string): { text: string; taken: boolean } | undefined {
    const escape = this.#escape + char;
    if (escape === "\\u" || UNICODE_START.test(escape)) {
      this.#escape = escape;
      return undefined;
    }
    if (UNICODE.test(escape) || SIMPLE.test(escape)) return { text: escape, taken: true };
    if (escape === "\\'") return { text: "'", taken: true };
    return { text: `\\${this.#escape}`, taken: false };
  }
}

const SIMPLE = /^\\["\\/bfnrt]$/;
const UNICODE = /^\\u[\da-f]{4}$/i;
const UNICODE_START = /^\\u[\da-f]{1,3}$/i;
