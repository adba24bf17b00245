import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import { allowedTypes, coerce } from "./coerce.ts";

/**
 * Gives the members of a JSON object the types that its schema wants, while the object streams by.
 *
 * The first character of a value tells its type. A value of the right type passes on at once and byte for byte; one of
 * the wrong type, and one that may hold such values, is held until it is whole. What is no JSON passes as it is.
 *
 * @example Usage
 * ```ts
 * import { InputCoercer } from "./input_coercer.ts";
 *
 * const coercer = new InputCoercer({ type: "object", properties: { n: { type: "number" } } });
 * const text = coercer.push('{"n": "1') + coercer.push('2", "m": "3"}');
 * if (text !== '{"n": 12, "m": "3"}') throw new Error(text);
 * ```
 */
export class InputCoercer {
  readonly #root: JsonObject;
  /** What the next character belongs to, seen from the object itself. */
  #state: "outside" | "name" | "colon" | "value" = "outside";
  #name = "";
  /** The value so far, where it is held. */
  #held: string | undefined;
  #depth = 0;
  #quoted = false;
  #escaped = false;

  /** Takes the JSON Schema of the object. */
  constructor(schema: JsonObject) {
    this.#root = schema;
  }

  /** What was taken and not given back: the beginning of a value that is not whole yet. */
  get held(): string {
    return this.#held ?? "";
  }

  /** Takes the next piece of the object and gives the text that may be sent on now. */
  push(piece: string): string {
    let out = "";
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const char = piece.charAt(at);
      if (this.#state === "colon" && !isSpace(char)) {
        this.#state = "value";
        if (this.#mustHold(char)) {
          out += piece.slice(from, at);
          from = at;
          this.#held = "";
        }
      }
      if (!this.#isBoundary(char)) {
        if (this.#state === "name") this.#name += char;
        continue;
      }
      if (this.#held !== undefined) {
        out += this.#coerceHeld(this.#held + piece.slice(from, at));
        from = at;
        this.#held = undefined;
      }
      if (char === ":") this.#state = "colon";
      else {
        this.#state = this.#depth === 0 ? "outside" : "name";
        this.#name = "";
      }
    }
    if (this.#held === undefined) return out + piece.slice(from);
    this.#held += piece.slice(from);
    return out;
  }

  /** Reads a character, and tells whether it stands between two parts of the object itself. */
  #isBoundary(char: string): boolean {
    if (this.#quoted) {
      if (this.#escaped) this.#escaped = false;
      else if (char === "\\") this.#escaped = true;
      else if (char === '"') this.#quoted = false;
      return false;
    }
    switch (char) {
      case '"':
        this.#quoted = true;
        return false;
      case "{":
      case "[":
        return ++this.#depth === 1;
      case "}":
      case "]":
        return --this.#depth === 0;
      case ":":
        return this.#depth === 1 && this.#state === "name";
      case ",":
        return this.#depth === 1;
      default:
        return false;
    }
  }

  get #schema(): unknown {
    const { properties } = this.#root;
    const name = tryJson(this.#name);
    return typeof name === "string" && isObject(properties) && Object.hasOwn(properties, name)
      ? properties[name]
      : undefined;
  }

  #mustHold(first: string): boolean {
    const allowed = allowedTypes(this.#schema, this.#root);
    const actualType = TYPES_BY_FIRST_CHAR.find(([start]) => start.test(first))?.[1];
    if (allowed === undefined || actualType === undefined) return false;
    const matching = allowed.filter(({ type }) => type === actualType);
    return matching.length === 0 ||
      matching.some(({ schema }) => isObject(schema.properties) || isObject(schema.items));
  }

  #coerceHeld(text: string): string {
    const value = tryJson(text);
    const coerced = value === undefined ? value : coerce(value, this.#schema, this.#root);
    if (coerced === value) return text;
    const trimmed = text.trimEnd();
    // A number keeps every digit when it becomes a string.
    return JSON.stringify(typeof value === "number" && typeof coerced === "string" ? trimmed : coerced) +
      text.slice(trimmed.length);
  }
}

/**
 * The type of a value, by its first character. Whether a number is an integer is known at its end; `null` is nothing
 * that could mean something else.
 */
const TYPES_BY_FIRST_CHAR: [RegExp, string][] = [
  [/"/, "string"],
  [/[-\d]/, "number"],
  [/[tf]/, "boolean"],
  [/\[/, "array"],
  [/\{/, "object"],
];

function isSpace(char: string): boolean {
  return char === " " || char === "\n" || char === "\t" || char === "\r";
}
