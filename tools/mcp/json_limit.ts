import { McpError } from "../errors.ts";

/** Maximum number of values. An empty list or object counts twice. */
const MAX_VALUES = 250_000;
/** Maximum number of members. Engines keep each name, and a hidden class for each order of names. */
const MAX_MEMBERS = 100_000;

/**
 * Counts the values of JSON texts as they arrive, before they are parsed: parsing 16 MiB of brackets takes seconds. A
 * line break ends a string, so a text that is not JSON does not hide those behind it.
 *
 * @example Usage
 * ```ts
 * import { JsonLimit } from "./json_limit.ts";
 *
 * const limit = new JsonLimit();
 * limit.add('{"a": [1, ');
 * limit.add("2]}");
 * ```
 */
export class JsonLimit {
  #values = 0;
  #members = 0;
  #inString = false;
  #escaped = false;

  /**
   * Counts a piece of a text, in UTF-8 or decoded.
   *
   * @throws {McpError} if the text so far exceeds a limit.
   */
  add(piece: Uint8Array | string): void {
    const codeAt = typeof piece === "string"
      ? (index: number) => piece.charCodeAt(index)
      : (index: number) => piece[index];
    for (let index = 0; index < piece.length; index++) this.#read(codeAt(index));
    if (this.#values > MAX_VALUES) fail(`it has more than ${MAX_VALUES} values`);
    if (this.#members > MAX_MEMBERS) fail(`it has more than ${MAX_MEMBERS} members`);
  }

  #read(code: number | undefined): void {
    if (this.#inString) {
      if (this.#escaped) this.#escaped = false;
      else if (code === BACKSLASH) this.#escaped = true;
      else if (code === QUOTE || code === LINE_FEED) this.#inString = false;
      return;
    }
    switch (code) {
      case QUOTE:
        this.#inString = true;
        return;
      case OPEN_BRACE:
      case OPEN_BRACKET:
      case COMMA:
        this.#values++;
        return;
      case COLON:
        this.#members++;
    }
  }
}

function fail(reason: string): never {
  throw new McpError(`Cannot read the response: ${reason}`);
}

const LINE_FEED = 10;
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const OPEN_BRACKET = 91;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
