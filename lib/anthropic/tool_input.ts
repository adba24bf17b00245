import { isObject, type JsonObject, tryJson } from "../base/json.ts";
import { InputCoercer } from "./input_coercer.ts";

/**
 * The arguments of one tool call, as fragments arrive: whatever comes in, one JSON object comes out.
 *
 * Text that belongs to the object is released at once; what models and their hosts add around it is not: a second
 * copy, an empty object before the real one, trailing words, arguments wrapped in a string. Clients of the
 * Messages API fail on all of these. With a schema, members of the wrong type are put right where that is possible.
 *
 * @example Usage
 * ```ts
 * import { ToolInput } from "./tool_input.ts";
 *
 * const input = new ToolInput();
 * const released = input.push('{}{"path":') + input.push('"a"}') + input.end();
 * if (released !== '{"path":"a"}') throw new Error(released);
 * ```
 */
export class ToolInput {
  /** Text that has arrived and was not released. */
  #held = "";
  #released = "";
  #state: "before" | "inside" | "after" | "other" = "before";
  #depth = 0;
  #quoted = false;
  #escaped = false;
  readonly #coercer: InputCoercer | undefined;

  constructor(schema?: JsonObject) {
    this.#coercer = schema && new InputCoercer(schema);
  }

  /** Whether the object has arrived whole. An empty one may still be followed by the real one. */
  get complete(): boolean {
    return this.#state === "after" && this.#released !== "";
  }

  /** Takes the next fragment and gives the text that may be sent on now, often none. */
  push(fragment: string): string {
    return this.#coerce(this.#scan(fragment));
  }

  /**
   * Ends the arguments and gives the text not yet released; no arguments at all are an empty object.
   *
   * @throws {SyntaxError} if what arrived is not a JSON object.
   */
  end(): string {
    return this.#coerce(this.#rest());
  }

  /** Ends arguments that were cut off, and gives what was held of them. */
  flush(): string {
    return this.#coercer?.held ?? "";
  }

  #coerce(text: string): string {
    return this.#coercer ? this.#coercer.push(text) : text;
  }

  #scan(fragment: string): string {
    if (this.#state === "other") {
      this.#held += fragment;
      return "";
    }
    let from = 0;
    let out = "";
    for (let at = 0; at < fragment.length; at++) {
      const code = fragment.charCodeAt(at);
      if (this.#state === "inside") {
        if (!this.#closesAt(code)) continue;
        out += this.#release(fragment.slice(from, at + 1));
        this.#state = "after";
      } else if (code === OPEN_BRACE && this.#released === "" && out === "") {
        this.#state = "inside";
        this.#depth = 1;
        this.#held = "";
        from = at;
      } else if (this.#state === "before" && !isSpace(code)) {
        this.#state = "other";
        this.#held = fragment.slice(at);
        return "";
      }
    }
    if (this.#state === "inside") out += this.#release(fragment.slice(from));
    return out;
  }

  #rest(): string {
    if (this.#state === "other") return unwrapObject(this.#held);
    if (this.#released === "" && this.#state !== "inside") return "{}";
    const rest = this.#state === "inside" ? this.#held : "";
    JSON.parse(this.#released + rest);
    return rest;
  }

  /** Releases a piece of the object, but holds back an opening that may turn out to be an empty object. */
  #release(piece: string): string {
    const text = this.#held + piece;
    // Only the piece is looked at: models stutter spaces by the thousand, and what is held was looked at before.
    if (this.#released === "" && (this.#held === "" ? EMPTY_SO_FAR : BLANK_SO_FAR).test(piece)) {
      this.#held = text;
      return "";
    }
    this.#held = "";
    this.#released += text;
    return text;
  }

  #closesAt(code: number): boolean {
    if (this.#quoted) {
      if (this.#escaped) this.#escaped = false;
      else if (code === BACKSLASH) this.#escaped = true;
      else if (code === QUOTE) this.#quoted = false;
      return false;
    }
    if (code === QUOTE) this.#quoted = true;
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) this.#depth++;
    else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) return --this.#depth === 0;
    return false;
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const EMPTY_SO_FAR = /^\{\s*\}?$/;
const BLANK_SO_FAR = /^\s*\}?$/;

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13);
}

/** Reads arguments that do not begin as an object: `null`, or an object inside a string. */
function unwrapObject(text: string): string {
  const value = tryJson(text);
  if (value === null) return "{}";
  if (typeof value === "string") {
    if (value.trim() === "") return "{}";
    if (isObject(tryJson(value))) return value;
  }
  throw new SyntaxError("Cannot read tool arguments: they are not a JSON object");
}
