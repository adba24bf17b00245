import { isObject, type JsonObject, tryJson } from "../../base/json.ts";
import { findExcess } from "../../base/json_bounds.ts";
import { coerce } from "./coerce.ts";
import { SchemaTypes } from "../schema_types.ts";

/**
 * Converts the members of a streamed JSON object to the types that its schema requires.
 *
 * The first character of a value determines its type. A value of the right type is released at once, byte for byte. A
 * value of the wrong type, or one that may contain such values, is held until it is complete. A member that is `null`
 * is left out if the schema neither requires it nor allows `null`. Text that is not JSON passes unchanged.
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
  /** Position of the next character in the top-level object. */
  #state: "outside" | "name" | "colon" | "value" = "outside";
  #name = "";
  /** Text before the current value: comma, name and colon. It is held until the value begins. */
  #start = "";
  /** True once a member was sent. */
  #hasMembers = false;
  /** Text of the current value; `undefined` if the value is not held. */
  #held: string | undefined;
  #depth = 0;
  #quoted = false;
  #escaped = false;

  /** `schema` is the JSON Schema of the object. */
  constructor(schema: JsonObject) {
    this.#root = schema;
  }

  /** Input not yet released: the start of an incomplete member. */
  get held(): string {
    return `${this.#start}${this.#held ?? ""}`;
  }

  /** Adds the next piece of the object and returns the text that can be sent now. */
  push(piece: string): string {
    let out = "";
    let from = 0;
    const take = (end: number) => piece.slice(from, from = end);
    for (let at = 0; at < piece.length; at++) {
      const char = piece.charAt(at);
      if (this.#state === "colon" && !isSpace(char)) {
        this.#state = "value";
        this.#start += take(at);
        const mayBeLeftOut = char === "n" &&
          SchemaTypes.of(this.#root).isLeftOutIfNull(this.#memberName, this.#root);
        if (!mayBeLeftOut) out += this.#takeStart();
        if (mayBeLeftOut || this.#mustHold(char)) this.#held = "";
      }
      if (!this.#isBoundary(char)) {
        if (this.#state === "name") this.#name += char;
        continue;
      }
      if (this.#state === "value") out += this.#endValue(take(at));
      if (char === ":") this.#state = "colon";
      else {
        if (char !== ",") out += this.#takeStart() + take(at + 1);
        this.#state = this.#depth === 0 ? "outside" : "name";
        this.#name = "";
      }
    }
    const rest = take(piece.length);
    if (this.#held !== undefined) this.#held += rest;
    else if (this.#state === "name" || this.#state === "colon") this.#start += rest;
    else out += rest;
    return out;
  }

  /** Ends a value, and returns its text as it can be sent. */
  #endValue(text: string): string {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return text;
    if (this.#start === "") return this.#coerceHeld(held + text);
    if ((held + text).trim() !== "null") return this.#takeStart() + held + text;
    this.#start = "";
    return "";
  }

  /** Returns the comma, name and colon before a value. The first member that is sent has no comma. */
  #takeStart(): string {
    const start = this.#start;
    this.#start = "";
    if (start.trim() === "" || this.#hasMembers) return start;
    this.#hasMembers = true;
    return start.replace(",", (comma, at) => start.slice(0, at).trim() === "" ? "" : comma);
  }

  /** Reads a character. Returns true if it opens, closes or separates parts of the top-level object. */
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

  get #memberName(): string {
    const name = tryJson(this.#name);
    return typeof name === "string" ? name : "";
  }

  get #schema(): unknown {
    const { properties } = this.#root;
    const name = this.#memberName;
    return isObject(properties) && Object.hasOwn(properties, name) ? properties[name] : undefined;
  }

  #mustHold(first: string): boolean {
    const allowed = SchemaTypes.of(this.#root).read(this.#schema);
    const actualType = TYPES_BY_FIRST_CHAR.find(([start]) => start.test(first))?.[1];
    if (allowed === undefined || actualType === undefined) return false;
    if (!allowed.has(actualType)) return true;
    const schema = allowed.get(actualType);
    return isObject(schema?.properties) || isObject(schema?.items);
  }

  #coerceHeld(text: string): string {
    const value = findExcess(text) === undefined ? tryJson(text) : undefined;
    const coerced = value === undefined ? value : coerce(value, this.#schema, this.#root);
    if (coerced === value) return text;
    const trimmed = text.trimEnd();
    // A number that becomes a string keeps all its digits.
    return JSON.stringify(typeof value === "number" && typeof coerced === "string" ? trimmed : coerced) +
      text.slice(trimmed.length);
  }
}

/**
 * Type of a value by its first character.
 *
 * `number` includes integers, which differ only at the end of the value. `null` is absent: it is left out or kept.
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
