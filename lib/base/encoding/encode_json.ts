import { isObject, tryJson } from "../json.ts";
import { findPlainEnd } from "./plain_run.ts";

/** Length from which a string is copied into the JSON, if it needs no escapes. */
const MIN_COPIED_CHARS = 64 * 1024;

/**
 * Writes a value as JSON: as text or, if it has long strings without escapes, as bytes. Into these, the strings are
 * copied, such as the base64 of images. `JSON.stringify` looks at each character, and takes five times as long.
 *
 * @example Usage
 * ```ts
 * import { encodeJson } from "./encode_json.ts";
 *
 * const bytes = encodeJson({ data: "A".repeat(100_000), n: 1 });
 * if (typeof bytes === "string" || bytes.length !== 100_017) throw new Error(String(bytes.length));
 * ```
 */
export function encodeJson(value: object): string | Uint8Array<ArrayBuffer> {
  const holders = new Set<object>();
  if (!findHolders(value, holders)) return JSON.stringify(value);
  const parts = new Parts(holders);
  parts.write(value);
  return parts.toBytes() ?? JSON.stringify(value);
}

/** Parses a body that {@linkcode encodeJson} has written. Returns `undefined` if it is not JSON. */
export function tryJsonBody(body: BodyInit | null | undefined): unknown {
  if (typeof body === "string") return tryJson(body);
  return body instanceof Uint8Array ? tryJson(new TextDecoder().decode(body)) : undefined;
}

/** Adds each list and object with a long string in it to a set. Returns true if the value has or is one. */
function findHolders(value: unknown, holders: Set<object>): boolean {
  if (typeof value === "string") return isLong(value);
  let found = false;
  if (Array.isArray(value)) {
    for (const item of value) found = findHolders(item, holders) || found;
  } else if (isObject(value)) {
    for (const name in value) found = findHolders(value[name], holders) || found;
  } else return false;
  if (found) holders.add(value);
  return found;
}

function isLong(text: string): boolean {
  return text.length >= MIN_COPIED_CHARS && PLAIN_START.test(text.slice(0, START_CHARS));
}

/** Long texts other than base64 have quotes or line breaks, nearly always near their start. */
const START_CHARS = 256;
const PLAIN_START = /^[ !#-[\]-~]*$/;

const encoder = new TextEncoder();

/** The parts of a JSON text: serialized text, with a long string after each but the last. */
class Parts {
  readonly #texts: string[] = [];
  readonly #strings: string[] = [];
  /** The lists and objects that are not serialized whole. */
  readonly #holders: ReadonlySet<object>;
  #text = "";

  constructor(holders: ReadonlySet<object>) {
    this.#holders = holders;
  }

  write(value: unknown): void {
    if (typeof value === "string" && isLong(value)) {
      this.#texts.push(`${this.#text}"`);
      this.#strings.push(value);
      this.#text = '"';
    } else if (typeof value !== "object" || value === null || !this.#holders.has(value)) {
      this.#text += JSON.stringify(value) ?? "null";
    } else if (Array.isArray(value)) this.#writeList(value);
    else if (isObject(value)) this.#writeObject(value);
  }

  #writeList(items: readonly unknown[]): void {
    let before = "[";
    for (const item of items) {
      this.#text += before;
      this.write(item);
      before = ",";
    }
    this.#text += "]";
  }

  #writeObject(object: Record<string, unknown>): void {
    let before = "{";
    for (const name in object) {
      if (object[name] === undefined) continue;
      this.#text += `${before}${JSON.stringify(name)}:`;
      this.write(object[name]);
      before = ",";
    }
    this.#text += "}";
  }

  /** Returns the bytes of the JSON; `undefined` if one of the strings needs escapes. */
  toBytes(): Uint8Array<ArrayBuffer> | undefined {
    const texts = [...this.#texts, this.#text].map((text) => encoder.encode(text));
    const size = [...texts, ...this.#strings].reduce((sum, { length }) => sum + length, 0);
    const bytes = new Uint8Array(size);
    let at = 0;
    for (const [nth, text] of texts.entries()) {
      bytes.set(text, at);
      at += text.length;
      const string = this.#strings[nth];
      if (string === undefined) break;
      const copied = bytes.subarray(at, at + string.length);
      if (encoder.encodeInto(string, copied).read < string.length) return undefined;
      if (findPlainEnd(copied, 0) < copied.length) return undefined;
      at += string.length;
    }
    return bytes;
  }
}
