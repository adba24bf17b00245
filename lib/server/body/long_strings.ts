import { findPlainEnd, isPlain } from "../../base/encoding/plain_run.ts";
import { markPlain } from "../../base/encoding/plain_text.ts";
import { isObject, type JsonObject } from "../../base/json.ts";
import { newId } from "../../runtime/ids.ts";
import { decodeUtf8 } from "./decode_utf8.ts";
import { PieceList, PieceMerger } from "./piece_list.ts";

/** A JSON text whose long strings were taken out. */
export interface CutJson {
  /** Size of the whole text, in bytes. */
  size: number;
  /** The text with a short name in the place of each long string. */
  text: string;
  /** The long strings by their names, which no client can know, in the order of the text. */
  strings: ReadonlyMap<string, LongString>;
}

/** A long string as a chain of the pieces in which it arrived. */
export interface LongString {
  text: string;
  /** Its beginning, as one piece. */
  head: string;
}

/** Bytes of a piece between two places that are looked at. A string of that length is found, wherever it begins. */
const STRIDE = 64 * 1024;
/** Plain bytes in a piece that may be those of a long string. */
const MIN_BYTES = 16 * 1024;

/**
 * Takes the long strings without escapes, such as the base64 of images, out of a JSON text in UTF-8 while it arrives.
 * They are neither joined nor parsed.
 *
 * Only the bytes around a string are looked at, not the text before it. In JSON, its quotes can be nothing else than
 * those of a string: after a closing quote comes no letter, digit or slash. A text that is not JSON stays so.
 */
export class LongStringCutter {
  readonly #merger = new PieceMerger((piece) => this.#cut(piece));
  /** What is no long string. */
  readonly #rest = new PieceList();
  readonly #strings = new Map<string, LongString>();
  #prefix: string | undefined;
  /** The last piece, of which the bytes from `#lastRest` on are not yet passed on. */
  #last = NO_BYTES;
  #lastRest = 0;
  /** The pieces of a long string that has begun. */
  #begun: Uint8Array[] | undefined;
  #size = 0;

  /** Appends a piece, which must not change afterwards. */
  add(piece: Uint8Array): void {
    this.#size += piece.byteLength;
    this.#merger.add(piece);
  }

  /** Returns the text. @throws {ApiError} `invalid_request_error` if it is not UTF-8. */
  take(): CutJson {
    this.#merger.flush();
    if (this.#begun !== undefined) this.#end(this.#begun, false);
    this.#rest.add(this.#last.subarray(this.#lastRest));
    return { size: this.#size, text: decodeUtf8(this.#rest.take()), strings: this.#strings };
  }

  /** Takes long strings out of a piece. It passes on the last piece, at whose end one may begin, and keeps this one. */
  #cut(piece: Uint8Array): void {
    const last = this.#last;
    let end = findPlainEnd(piece, 0);
    if (this.#begun === undefined) {
      const start = end < MIN_BYTES ? undefined : findStart(last, this.#lastRest, piece[0]);
      this.#rest.add(last.subarray(this.#lastRest, start));
      if (start !== undefined) this.#begun = [last.subarray(start)];
    }
    let rest = 0;
    if (this.#begun !== undefined) {
      rest = end;
      this.#begun.push(piece.subarray(0, end));
      if (end < piece.length) this.#end(this.#begun, piece[end] === QUOTE);
    }
    // The other strings begin in this piece.
    for (let at = end + STRIDE; at < piece.length; at = end + STRIDE) {
      const start = findStart(piece.subarray(0, at), end, piece[at]);
      end = findPlainEnd(piece, at);
      if (start === undefined || end - start < MIN_BYTES) continue;
      if (end < piece.length && piece[end] !== QUOTE) continue;
      this.#rest.add(piece.subarray(rest, start));
      rest = end;
      this.#begun = [piece.subarray(start, end)];
      if (end < piece.length) this.#end(this.#begun, true);
    }
    this.#last = piece;
    this.#lastRest = rest;
  }

  /** Takes out the long string of some pieces. They are passed on if no quote ends it. */
  #end(pieces: readonly Uint8Array[], isString: boolean): void {
    this.#begun = undefined;
    if (!isString) {
      for (const piece of pieces) this.#rest.add(piece);
      return;
    }
    const texts = pieces.map(decodeUtf8);
    const [first = "", second = ""] = texts;
    const head = first.length < MIN_BYTES ? first + second.slice(0, MIN_BYTES) : first;
    const name = `${this.#prefix ??= newId("cut_")}${this.#strings.size}`;
    this.#strings.set(name, { text: texts.reduce((all, text) => all + text), head });
    this.#rest.add(encoder.encode(name));
  }
}

/**
 * Returns the index at which a string begins that continues after the bytes with the byte `next`; `undefined` if there
 * is none. Bytes before `from` are not read.
 *
 * A quote at the beginning of the bytes may follow a backslash in an earlier piece. Then the text of which the name is
 * a part is no name itself, and {@linkcode putBack} finds it missing.
 */
function findStart(bytes: Uint8Array, from: number, next: number | undefined): number | undefined {
  let start = bytes.length;
  while (start > from && isPlain(bytes[start - 1])) start--;
  const isOpened = bytes[start - 1] === QUOTE && bytes[start - 2] !== BACKSLASH;
  return isOpened && BASE64.test(String.fromCharCode(bytes[start] ?? next ?? 0)) ? start : undefined;
}

const BASE64 = /[\w+/-]/;
const NO_BYTES: Uint8Array = new Uint8Array(0);
const QUOTE = 34;
const BACKSLASH = 92;
const encoder = new TextEncoder();

/** Maximum length of the name of a long string. */
const MAX_NAME_CHARS = 32;

/**
 * Puts the long strings back into the parsed value, which is changed. Returns `undefined` if the value has not each of
 * them once: then one is the name of a member or a part of a text, or its member is given twice.
 */
export function putBack(value: unknown, strings: CutJson["strings"]): { value: unknown } | undefined {
  let missing = strings.size;
  const take = (name: unknown): LongString | undefined => {
    const string = typeof name === "string" && name.length <= MAX_NAME_CHARS ? strings.get(name) : undefined;
    if (string !== undefined) missing--;
    return string;
  };
  const restore = (value: unknown): unknown => {
    if (Array.isArray(value)) {
      for (let at = 0; at < value.length; at++) value[at] = restore(value[at]);
      return value;
    }
    return isObject(value) ? restoreObject(value) : take(value)?.text ?? value;
  };
  const restoreObject = (value: JsonObject): JsonObject => {
    let restored = value;
    for (const name in value) {
      const member = value[name];
      const string = take(member);
      const whole = string === undefined ? restore(member) : string.text;
      if (whole === member) continue;
      restored[name] = whole;
      if (string !== undefined) restored = markPlain(restored as Record<string, string>, name, string.head);
    }
    return restored;
  };
  const restored = restore(value);
  return missing === 0 ? { value: restored } : undefined;
}

/** Returns the whole text. */
export function toWholeText({ text, strings }: CutJson): string {
  let whole = "";
  let rest = 0;
  for (const [name, string] of strings) {
    const at = text.indexOf(name, rest);
    whole += text.slice(rest, at) + string.text;
    rest = at + name.length;
  }
  return whole + text.slice(rest);
}
