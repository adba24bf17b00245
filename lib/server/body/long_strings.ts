import { findPlainEnd, isPlain } from "../../base/encoding/plain_run.ts";
import { isObject } from "../../base/json.ts";
import { newId } from "../../runtime/ids.ts";
import { nextTask } from "../../runtime/next_task.ts";
import { decodeUtf8 } from "./decode_utf8.ts";

/** A JSON text whose long strings were taken out. */
export interface CutJson {
  /** The text with a short name in the place of each long string. */
  text: string;
  /** The long strings by their names, which no client can know. */
  strings: ReadonlyMap<string, string>;
}

/** Plain bytes after a place that is looked at. A string of twice as many is found, wherever it begins. */
const STRIDE = 64 * 1024;

/**
 * Takes the long strings without escapes, such as the base64 of images, out of a JSON text in UTF-8. The engine then
 * does not parse them, and other requests continue after each.
 *
 * Only the bytes around a string are looked at, not the text before it. In JSON, its quotes can be nothing else than
 * those of a string: after a closing quote comes no letter, digit or slash. A text that is not JSON stays so.
 *
 * @throws {TypeError} if the text is not UTF-8.
 */
export async function cutLongStrings(json: Uint8Array): Promise<CutJson> {
  const strings = new Map<string, string>();
  const prefix = newId("cut_");
  let text = "";
  let rest = 0;
  for (let at = STRIDE, end = 0; at < json.length; at = end + STRIDE) {
    let start = at;
    while (start > end && isPlain(json[start - 1])) start--;
    end = findPlainEnd(json, at);
    if (end - at < STRIDE || !isString(json, start, end)) continue;
    const name = `${prefix}${strings.size}`;
    text += decodeUtf8(json.subarray(rest, start)) + name;
    strings.set(name, decodeUtf8(json.subarray(start, end)));
    rest = end;
    await nextTask();
  }
  return { text: text + decodeUtf8(json.subarray(rest)), strings };
}

/** True if the plain bytes between two indexes are a whole string, and not the name of a member. */
function isString(json: Uint8Array, start: number, end: number): boolean {
  const isOpened = json[start - 1] === QUOTE && json[start - 2] !== BACKSLASH &&
    BASE64.test(String.fromCharCode(json[start] ?? 0));
  if (!isOpened || json[end] !== QUOTE) return false;
  let next = end + 1;
  while (SPACES.has(json[next] ?? 0)) next++;
  return json[next] !== COLON;
}

/** Maximum length of the name of a long string. */
const MAX_NAME_CHARS = 32;
const BASE64 = /[\w+/-]/;
const QUOTE = 34;
const COLON = 58;
const BACKSLASH = 92;
const SPACES: ReadonlySet<number> = new Set([9, 10, 13, 32]);

/** Puts the long strings back into the parsed value, which is changed. */
export function putBack(value: unknown, strings: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") return value.length > MAX_NAME_CHARS ? value : strings.get(value) ?? value;
  if (Array.isArray(value)) {
    for (let at = 0; at < value.length; at++) value[at] = putBack(value[at], strings);
  } else if (isObject(value)) {
    for (const name in value) {
      const member = value[name];
      const whole = putBack(member, strings);
      if (whole !== member) value[name] = whole;
    }
  }
  return value;
}
