import { ApiError } from "../../base/errors.ts";
import { ByteBuffer } from "../body/byte_buffer.ts";

/** An event of a form: the start of a part, bytes of its content, or its end. */
export type FormEvent =
  | { type: "start"; name: string; filename: string | undefined; contentType: string | undefined }
  | { type: "data"; bytes: Uint8Array }
  | { type: "end" };

/** Maximum size of the headers of a part, in bytes. */
const MAX_HEADER_BYTES = 16 * 1024;

/**
 * Parses `multipart/form-data` while it arrives. At most a boundary and the headers of one part are kept.
 *
 * Source: https://www.rfc-editor.org/rfc/rfc7578, https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 *
 * @example Usage
 * ```ts
 * import { FormParser } from "./multipart.ts";
 *
 * const parser = new FormParser("b");
 * const form = '--b\r\ncontent-disposition: form-data; name="a"\r\n\r\ntext\r\n--b--\r\n';
 * const types = parser.push(new TextEncoder().encode(form)).map(({ type }) => type);
 * parser.end();
 * if (types.join() !== "start,data,end") throw new Error(types.join());
 * ```
 */
export class FormParser {
  readonly #delimiter: Uint8Array;
  #state: "preamble" | "data" | "delimiter" | "headers" | "epilogue" = "preamble";
  readonly #buffer = new ByteBuffer();

  constructor(boundary: string) {
    this.#delimiter = encode(`\r\n--${boundary}`);
    // The first boundary may be at the very start of the form.
    this.#buffer.add(encode("\r\n"));
  }

  /**
   * Reads the next bytes.
   *
   * @throws {ApiError} `invalid_request_error` if they are not a form.
   */
  push(piece: Uint8Array): FormEvent[] {
    if (this.#state === "epilogue") return [];
    this.#buffer.add(piece);
    const bytes = this.#buffer.bytes.slice();
    this.#buffer.clear();
    const events: FormEvent[] = [];
    const rest = this.#read(bytes, events);
    this.#buffer.add(rest);
    return events;
  }

  /** Ends the form. @throws {ApiError} `invalid_request_error` if its last boundary is missing. */
  end(): void {
    if (this.#state !== "epilogue") throw formError("it ends before its last boundary");
  }

  /** Adds the events of the bytes, and returns the bytes that must wait for the next ones. */
  #read(bytes: Uint8Array, events: FormEvent[]): Uint8Array {
    let at = 0;
    while (true) {
      const left = bytes.subarray(at);
      switch (this.#state) {
        case "preamble":
        case "data": {
          const isData = this.#state === "data";
          const found = indexOf(left, this.#delimiter);
          const length = found < 0 ? Math.max(0, left.length - this.#delimiter.length + 1) : found;
          if (isData && length > 0) events.push({ type: "data", bytes: left.slice(0, length) });
          if (found < 0) return left.subarray(length);
          if (isData) events.push({ type: "end" });
          this.#state = "delimiter";
          at += found + this.#delimiter.length;
          break;
        }
        case "delimiter": {
          const padding = left.findIndex((byte) => byte !== SPACE && byte !== TAB);
          if (padding < 0 || left.length < padding + 2) {
            if (left.length > MAX_HEADER_BYTES) throw formError("a boundary does not end");
            return left;
          }
          const [first, second] = left.subarray(padding);
          if (first === DASH && second === DASH) {
            this.#state = "epilogue";
            return new Uint8Array();
          }
          if (first !== CR || second !== LF) throw formError("a boundary is followed by other text");
          this.#state = "headers";
          at += padding; // the line break is the start of empty headers, too
          break;
        }
        case "headers": {
          const found = indexOf(left, BLANK_LINE);
          if ((found < 0 ? left.length : found) > MAX_HEADER_BYTES) {
            throw formError("the headers of a part are too long");
          }
          if (found < 0) return left;
          events.push(parseHeaders(decodeText(left.subarray(0, found))));
          this.#state = "data";
          at += found + BLANK_LINE.length;
          break;
        }
        case "epilogue":
          return new Uint8Array();
      }
    }
  }
}

function parseHeaders(text: string): FormEvent & { type: "start" } {
  const lines = text.split("\r\n").filter((line) => line !== "");
  const headers = new Map(lines.map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, Math.max(colon, 0)).trim().toLowerCase(), line.slice(colon + 1).trim()];
  }));
  const disposition = headers.get("content-disposition") ?? "";
  const name = readParameter(disposition, "name");
  if (!/^form-data\s*(;|$)/i.test(disposition) || name === undefined) throw formError("a part has no name");
  return {
    type: "start",
    name,
    filename: readParameter(disposition, "filename"),
    contentType: headers.get("content-type"),
  };
}

/**
 * Reads a parameter of `content-disposition`. Browsers and SDKs write quotes and line breaks as `%22`, `%0D`, `%0A`.
 */
function readParameter(disposition: string, name: string): string | undefined {
  const [, quoted, plain] = new RegExp(`;\\s*${name}\\s*=\\s*(?:"((?:[^"\\\\]|\\\\.)*)"|([^\\s;"]+))`, "i")
    .exec(disposition) ?? [];
  return quoted === undefined
    ? plain
    : quoted.replace(/\\(["\\])/g, "$1").replace(/%22/g, '"').replace(/%0D/gi, "\r").replace(/%0A/gi, "\n");
}

function indexOf(bytes: Uint8Array, wanted: Uint8Array): number {
  const [first = 0] = wanted;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + wanted.length > bytes.length) return -1;
    if (startsWith(bytes.subarray(at), wanted)) return at;
  }
  return -1;
}

function startsWith(bytes: Uint8Array, wanted: Uint8Array): boolean {
  return bytes.length >= wanted.length && wanted.every((byte, at) => bytes[at] === byte);
}

function decodeText(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ApiError("invalid_request_error", "Cannot read the form: a header is not valid UTF-8", {
      cause,
    });
  }
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function formError(why: string): ApiError {
  return new ApiError("invalid_request_error", `Cannot read the form: ${why}`);
}

const BLANK_LINE = encode("\r\n\r\n");
const SPACE = 0x20;
const TAB = 0x09;
const CR = 0x0d;
const LF = 0x0a;
const DASH = 0x2d;
