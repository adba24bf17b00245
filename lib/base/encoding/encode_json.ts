import { tryJson } from "../json.ts";
import { PLACE, writeWithoutPlain } from "./plain_text.ts";

/**
 * Writes a value as JSON, as `JSON.stringify` does, but for the texts that are marked as plain, such as the base64 of
 * images. They are put in unread: `JSON.stringify` looks at each character, and copies each text.
 *
 * @example Usage
 * ```ts
 * import { encodeJson } from "./encode_json.ts";
 * import { markPlain } from "./plain_text.ts";
 *
 * const source = markPlain({ data: "A".repeat(100_000) }, "data");
 * if (encodeJson([source]) !== JSON.stringify([source])) throw new Error("another text");
 * ```
 */
export function encodeJson(value: object): string {
  const { json, texts } = writeWithoutPlain(value);
  if (texts.length === 0) return json;
  let encoded = "";
  let rest = 0;
  let places = 0;
  for (let at = json.indexOf(PLACE); at >= 0; at = json.indexOf(PLACE, rest)) {
    const end = json.indexOf('"', at);
    const text = texts[Number(json.slice(at + PLACE.length, end))];
    if (text === undefined) return JSON.stringify(value);
    encoded += json.slice(rest, at) + text;
    rest = end;
    places++;
  }
  // Each text has its place. If there are more, another text looks like one.
  return places === texts.length ? encoded + json.slice(rest) : JSON.stringify(value);
}

/** Parses a body that {@linkcode encodeJson} has written. Returns `undefined` if it is not JSON. */
export function tryJsonBody(body: BodyInit | null | undefined): unknown {
  return typeof body === "string" ? tryJson(body) : undefined;
}
