import { ApiError } from "../../base/errors.ts";
import { ByteBuffer } from "../body/byte_buffer.ts";

/** Maximum size of one request of a batch, in bytes: that of a request for a message. */
const MAX_ITEM_BYTES = 32 * 1024 * 1024;

/** Maximum size of a member's name, in bytes. */
const MAX_NAME_BYTES = 1024;

/** What the splitter expects next, besides white space. */
type Expected =
  | "object"
  | "name"
  | "first name"
  | "colon"
  | "list"
  | "item"
  | "first item"
  | "comma in list"
  | "comma in object"
  | "end";

/**
 * Splits the body of a batch, `{"requests": [...]}`, into the texts of its requests, while the body arrives. At most
 * one request is in memory. The texts of requests are not checked here: a text that is not JSON fails when it is
 * parsed.
 *
 * @example Usage
 * ```ts
 * import { RequestSplitter } from "./request_splitter.ts";
 *
 * const splitter = new RequestSplitter();
 * const texts = splitter.push(new TextEncoder().encode('{"requests":[{"a":1},{"b":2}]}'));
 * splitter.end();
 * if (texts.join() !== '{"a":1},{"b":2}') throw new Error("not split");
 * ```
 */
export class RequestSplitter {
  #expected: Expected = "object";
  /** The value that is being read: a name or a request. */
  #value: { depth: number; inString: boolean; escaped: boolean } | undefined;
  readonly #bytes = new ByteBuffer();
  #hasRequests = false;

  /**
   * Reads the next bytes, and returns the requests that they complete.
   *
   * @throws {ApiError} `invalid_request_error` if the body is not an object with one list `requests`;
   * `request_too_large` if a request has more than 32 MiB.
   */
  push(bytes: Uint8Array): string[] {
    const texts: string[] = [];
    let start = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at] ?? 0;
      if (this.#value === undefined) {
        if (isSpace(byte)) continue;
        this.#startOrStep(byte);
        start = at;
      }
      if (this.#value === undefined || !this.#isValueEnd(byte)) continue;
      const text = this.#takeValue(bytes.subarray(start, at + 1));
      if (this.#expected === "colon") this.#checkName(text);
      else texts.push(text);
    }
    this.#keep(bytes.subarray(start));
    return texts;
  }

  /** Ends the body. @throws {ApiError} `invalid_request_error` if it is incomplete. */
  end(): void {
    if (this.#expected === "object" && this.#value === undefined) throw bodyError("it is empty");
    if (this.#expected !== "end") throw bodyError("it ends too early");
    if (!this.#hasRequests) throw new ApiError("invalid_request_error", "requests: Field required");
  }

  /** Starts a value, or takes the next step between two values. */
  #startOrStep(byte: number): void {
    switch (this.#expected) {
      case "object":
        return this.#step(byte, { "{": "first name" }, "Input should be an object");
      case "first name":
      case "name":
        if (byte === QUOTE) return this.#startValue("colon", true);
        if (this.#expected === "first name") return this.#step(byte, { "}": "end" });
        throw bodyError("a member's name is missing");
      case "colon":
        return this.#step(byte, { ":": "list" });
      case "list":
        return this.#step(byte, { "[": "first item" }, "requests: Input should be a valid list");
      case "first item":
      case "item":
        if (byte === OPEN_BRACE) return this.#startValue("comma in list", false);
        if (this.#expected === "first item" && byte === CLOSE_BRACKET) {
          this.#expected = "comma in object";
          return;
        }
        throw new ApiError("invalid_request_error", "requests: Input should be a list of objects");
      case "comma in list":
        return this.#step(byte, { ",": "item", "]": "comma in object" });
      case "comma in object":
        return this.#step(byte, { ",": "name", "}": "end" });
      case "end":
        throw bodyError("text follows its end");
    }
  }

  #step(byte: number, steps: Readonly<Record<string, Expected>>, message?: string): void {
    const next = steps[String.fromCharCode(byte)];
    if (next !== undefined) this.#expected = next;
    else if (message !== undefined) throw new ApiError("invalid_request_error", message);
    else throw bodyError("a comma, a colon or a bracket is missing");
  }

  #startValue(after: Expected, isName: boolean): void {
    this.#expected = after;
    // The first byte is read again as part of the value.
    this.#value = { depth: isName ? 1 : 0, inString: false, escaped: false };
  }

  /** Takes a byte of the value, and returns true if it is the last one. */
  #isValueEnd(byte: number): boolean {
    const value = this.#value;
    if (value === undefined) return false;
    if (value.inString) {
      if (value.escaped) value.escaped = false;
      else if (byte === BACKSLASH) value.escaped = true;
      else if (byte === QUOTE) {
        value.inString = false;
        return this.#expected === "colon";
      }
      return false;
    }
    if (byte === QUOTE) value.inString = true;
    else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) value.depth++;
    else if (byte === CLOSE_BRACE || byte === CLOSE_BRACKET) return --value.depth === 0;
    return false;
  }

  #takeValue(last: Uint8Array): string {
    this.#keep(last);
    this.#value = undefined;
    const text = decode(this.#bytes.bytes);
    this.#bytes.clear();
    return text;
  }

  /** Keeps bytes of a value that is not complete. */
  #keep(bytes: Uint8Array): void {
    if (this.#value === undefined) return;
    this.#bytes.add(bytes);
    const { size } = this.#bytes;
    if (this.#expected === "colon" && size > MAX_NAME_BYTES) throw bodyError("a name is too long");
    if (size > MAX_ITEM_BYTES) {
      throw new ApiError("request_too_large", "requests: A request exceeds the maximum size of 32 MiB");
    }
  }

  #checkName(text: string): void {
    const name = parseName(text);
    if (name !== "requests") {
      throw new ApiError("invalid_request_error", `${name.slice(0, 100)}: Extra inputs are not permitted`);
    }
    if (this.#hasRequests) throw bodyError('it has two members "requests"');
    this.#hasRequests = true;
  }
}

function parseName(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch (cause) {
    throw new ApiError("invalid_request_error", `${NOT_JSON} a name is not a string`, { cause });
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_request_error", "The request body is not valid UTF-8", { cause });
  }
}

function bodyError(why: string): ApiError {
  return new ApiError("invalid_request_error", `${NOT_JSON} ${why}`);
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

const NOT_JSON = "The request body is not valid JSON:";
const QUOTE = 0x22;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;
