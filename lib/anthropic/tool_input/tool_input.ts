import { isObject, type JsonObject } from "../../base/json.ts";
import { JSON_BOUNDS } from "../../base/json_bounds.ts";
import { InputCoercer } from "./input_coercer.ts";
import { parseToolInput, toolInputError } from "./parse_input.ts";
import { StringRepair } from "./string_repair.ts";

/**
 * Reduces the arguments of one tool call, received in fragments, to one JSON object.
 *
 * Text of the object is released at once. Models and hosts add a second copy, an empty object before the real one or
 * trailing text, or wrap the arguments in a string: these are removed, because clients of the Messages API fail on
 * them. A second object that is no copy is another call, and an error. Control characters and unknown escapes in
 * strings are repaired. With a schema, members of the wrong type are converted if possible.
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
  /** Text received but not yet released. */
  #held = "";
  #released = "";
  /** Text after the object. */
  #tail = "";
  #state: "before" | "inside" | "after" | "other" = "before";
  #depth = 0;
  #quoted = false;
  #escaped = false;
  readonly #repair = new StringRepair();
  readonly #coercer: InputCoercer | undefined;

  constructor(schema?: JsonObject) {
    this.#coercer = schema && new InputCoercer(schema);
  }

  /** True if the object is complete. An empty object does not count: the real one may follow. */
  get complete(): boolean {
    return this.#state === "after" && this.#released !== "";
  }

  /** Adds a fragment and returns the text that can be sent now, often empty. */
  push(fragment: string): string {
    return this.#coerce(this.#scan(fragment));
  }

  /**
   * Ends the arguments and returns the remaining text. Missing arguments become an empty object.
   *
   * @throws {SyntaxError} if the arguments are not a JSON object.
   */
  end(): string {
    return this.#coerce(this.#rest());
  }

  /** Ends truncated arguments and returns the value that was held for conversion. */
  flush(): string {
    return this.#coercer?.held ?? "";
  }

  /** Ends arguments that may be other than one JSON object, and returns all the remaining text. */
  remainder(): string {
    return this.#held;
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
      } else if (this.#state === "after" && (this.#released !== "" || out !== "")) {
        if (this.#tail.length < MAX_TAIL_CHARS) this.#tail += fragment.slice(at);
        return out;
      }
    }
    if (this.#state === "inside") out += this.#release(fragment.slice(from));
    return out;
  }

  #rest(): string {
    if (this.#state === "other") return unwrapObject(this.#held);
    if (this.#released === "" && this.#state !== "inside") return "{}";
    const rest = this.#state === "inside" ? this.#held : "";
    const value = parseToolInput(this.#released + rest);
    if (value === undefined || this.#isFollowedByOther(value)) throw notAnObject();
    return rest;
  }

  /** True if another object follows, which is no copy. */
  #isFollowedByOther(value: unknown): boolean {
    const json = JSON.stringify(value);
    let tail = this.#tail;
    for (let copies = 0; copies < MAX_COPIES && /^\s*\{/.test(tail); copies++) {
      const next = new ToolInput();
      const other = parseToolInput(next.push(tail));
      if (!next.complete || other === undefined) return false;
      if (JSON.stringify(other) !== json) return true;
      tail = next.#tail;
    }
    return false;
  }

  /** Releases a piece of the object. Holds back a start that may prove to be an empty object. */
  #release(received: string): string {
    const piece = this.#repair.push(received);
    const text = this.#held + piece;
    // Tests only the piece, because the held text was tested before: models may repeat spaces by the thousand.
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
    else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++this.#depth > JSON_BOUNDS.depth) throw toolInputError("depth");
    }
    if (code === CLOSE_BRACE || code === CLOSE_BRACKET) return --this.#depth === 0;
    return false;
  }
}

/** Maximum length of the text after the object that is examined. */
const MAX_TAIL_CHARS = 1024 * 1024;
/** Maximum number of objects in it that are compared. */
const MAX_COPIES = 8;

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

/** Converts arguments that do not start with an object: `null`, or an object inside a string. */
function unwrapObject(text: string): string {
  const value = parseToolInput(text);
  if (value === null) return "{}";
  if (typeof value === "string") {
    if (value.trim() === "") return "{}";
    if (isObject(parseToolInput(value))) return value;
  }
  throw notAnObject();
}

function notAnObject(): SyntaxError {
  return new SyntaxError("Cannot read tool arguments: they are not a JSON object");
}
