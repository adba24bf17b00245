import type { JsonObject } from "../json.ts";

/** A member of an object whose text is plain: see `findPlainEnd`. */
interface PlainMember {
  readonly member: string;
  readonly text: string;
  readonly head: string;
}

const marked = new WeakMap<object, PlainMember>();

/** The texts that are left out of the JSON that is being written. Undefined while all are written. */
let leftOut: string[] | undefined;

/** What stands in JSON for a text that is left out, before its number. */
export const PLACE = "gateway:plain_text:";

/**
 * Returns a copy of an object, with the long text of a member marked as plain: `encodeJson` copies it unread. A copy of
 * the copy has no mark.
 *
 * The text may be a chain of pieces, which engines join when they look at a character. `head` is its beginning.
 */
export function markPlain<Holder extends { [name in Name]: string }, Name extends string>(
  holder: Holder,
  member: Name,
  head: string = holder[member],
): Holder {
  if ("toJSON" in holder || Object.hasOwn(holder, "__proto__")) return holder;
  // The method comes first: an engine may look at the members before it calls the method.
  const copy: Holder = Object.assign(Object.defineProperty({}, "toJSON", METHOD), holder);
  marked.set(copy, { member, text: holder[member], head });
  return copy;
}

/** True if a member is marked as plain, and was not changed since. */
export function isMarkedPlain(holder: object, member: string): boolean {
  return markOf(holder)?.member === member;
}

/** Returns the beginning of a text, with at most that many characters. */
export function headOf<Name extends string>(
  holder: { readonly [name in Name]: string },
  member: Name,
  length: number,
): string {
  const mark = markOf(holder);
  const isKnown = mark?.member === member && mark.head.length >= length;
  return (isKnown ? mark.head : holder[member]).slice(0, length);
}

/** Writes a value as JSON in which a numbered {@linkcode PLACE} stands for each marked text. */
export function writeWithoutPlain(value: object): { json: string; texts: readonly string[] } {
  const texts: string[] = leftOut = [];
  try {
    return { json: JSON.stringify(value), texts };
  } finally {
    leftOut = undefined;
  }
}

/** The method that `JSON.stringify` calls. So the engine finds marked objects, and other objects take no time. */
function toJson(this: JsonObject): JsonObject {
  const mark = leftOut === undefined ? undefined : markOf(this);
  if (leftOut === undefined || mark === undefined) return this;
  leftOut.push(mark.text);
  return { ...this, [mark.member]: `${PLACE}${leftOut.length - 1}` };
}

const METHOD = { value: toJson, writable: true, configurable: true };

function markOf(holder: object): PlainMember | undefined {
  const mark = marked.get(holder);
  return mark !== undefined && (holder as JsonObject)[mark.member] === mark.text ? mark : undefined;
}
