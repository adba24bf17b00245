import { isObject, tryJson } from "../base/json.ts";
import { type Mask, maskJson } from "./mask.ts";

/**
 * Masks the texts of a sequence of JSON values, such as the events of a stream.
 *
 * A model writes a text in pieces, and a credential may be cut between two of them. The texts at one place of the
 * values are therefore masked as one: if a credential is found, the first piece holds the masked text, and the others
 * are empty.
 */
export function maskSequence(values: readonly unknown[], mask: Mask): unknown[] {
  const pieces = new Map<string, string[]>();
  for (const value of values) visitTexts(value, (place, text) => void push(pieces, place, text));
  const replacements = new Map<string, string>();
  for (const [place, texts] of pieces) {
    const whole = texts.join("");
    const masked = texts.length > 1 ? mask(whole) : whole;
    if (masked !== whole) replacements.set(place, masked);
  }
  return values.map((value) =>
    maskJson(
      replacements.size === 0 ? value : replaceTexts(value, (place, text) => {
        const masked = replacements.get(place);
        if (masked === undefined) return text;
        replacements.set(place, "");
        return masked;
      }),
      mask,
    )
  );
}

/** Masks the body of an upstream's answer: an event stream with JSON data, a JSON value, or any text. */
export function maskBody(text: string, mask: Mask): string {
  const json = tryJson(text);
  if (isObject(json) || Array.isArray(json)) {
    const masked = JSON.stringify(maskJson(json, mask));
    return masked === JSON.stringify(json) ? text : masked;
  }
  const lines = text.split("\n");
  const events = lines.flatMap((line, at) => {
    const value = line.startsWith("data:") ? tryJson(line.slice("data:".length)) : undefined;
    return isObject(value) ? [{ at, value }] : [];
  });
  const masked = maskSequence(events.map(({ value }) => value), mask);
  const changed = new Map(events.map(({ at, value }, nth) => {
    const json = JSON.stringify(masked[nth]);
    return [at, json === JSON.stringify(value) ? lines[at] : `data: ${json}`] as const;
  }));
  return lines.map((line, at) => changed.get(at) ?? mask(line)).join("\n");
}

/** Returns a value with each text replaced; the place is its path, and the index of the block. */
function replaceTexts(value: unknown, replace: (place: string, text: string) => string): unknown {
  const block = isObject(value) && typeof value.index === "number" ? `${value.index} ` : "";
  return walk(value, block);

  function walk(value: unknown, place: string): unknown {
    if (typeof value === "string") return replace(place, value);
    if (Array.isArray(value)) return value.map((item, at) => walk(item, `${place}.${at}`));
    if (!isObject(value)) return value;
    return Object.fromEntries(
      Object.entries(value).map(([name, member]) => [name, walk(member, `${place}.${name}`)]),
    );
  }
}

function visitTexts(value: unknown, visit: (place: string, text: string) => void): void {
  replaceTexts(value, (place, text) => {
    visit(place, text);
    return text;
  });
}

function push(pieces: Map<string, string[]>, place: string, text: string): void {
  const texts = pieces.get(place);
  if (texts === undefined) pieces.set(place, [text]);
  else texts.push(text);
}
