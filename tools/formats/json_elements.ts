/** The range of a value in a text. */
export interface Span {
  start: number;
  end: number;
}

/** The range of an array, and the ranges of its elements. */
export interface Elements extends Span {
  elements: readonly Span[];
}

/**
 * Finds the elements of an array that is a member of the top-level object. Returns undefined if the member is missing
 * or not an array. With the ranges, an element can be replaced while the rest of the text stays unchanged. The text
 * must be valid JSON.
 */
export function findElements(text: string, member: string): Elements | undefined {
  let found: Elements | undefined;
  let at = skipSpace(text, skipSpace(text, 0) + 1);
  while (text[at] === '"') {
    const end = skipValue(text, at);
    const isMember = JSON.parse(text.slice(at, end)) === member;
    const start = skipSpace(text, skipSpace(text, end) + 1);
    const after = skipValue(text, start);
    // `JSON.parse()` keeps the last of several members with the same name.
    if (isMember) {
      found = text[start] === "[" ? { start, end: after, elements: listElements(text, start) } : undefined;
    }
    at = skipSpace(text, after);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return found;
}

function listElements(text: string, array: number): Span[] {
  const elements: Span[] = [];
  let at = skipSpace(text, array + 1);
  while (at < text.length && text[at] !== "]") {
    const end = skipValue(text, at);
    elements.push({ start: at, end });
    at = skipSpace(text, end);
    if (text[at] === ",") at = skipSpace(text, at + 1);
  }
  return elements;
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && " \t\r\n".includes(text.charAt(at))) at += 1;
  return at;
}

function skipValue(text: string, start: number): number {
  let depth = 0;
  let at = start;
  do {
    const character = text.charAt(at);
    if (character === '"') at = skipString(text, at);
    else if (character === "[" || character === "{") [depth, at] = [depth + 1, at + 1];
    else if (character === "]" || character === "}") [depth, at] = [depth - 1, at + 1];
    else if (depth > 0) at += 1;
    else while (at < text.length && !",]} \t\r\n".includes(text.charAt(at))) at += 1;
  } while (depth > 0 && at < text.length);
  return at;
}

function skipString(text: string, start: number): number {
  let at = start + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
