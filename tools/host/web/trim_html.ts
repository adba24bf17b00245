import { Parser } from "htmlparser2";
import { createWhitespaceLimiter } from "./spacing.ts";

/** A page, pared down to what a document may be made of without harm. */
export interface TrimmedHtml {
  /** Well-formed, with absolute links. */
  readonly html: string;
  readonly elements: number;
  /** Whether the page had more than was read. */
  readonly truncated: boolean;
}

/** How many elements are read: what works on the document takes a fraction of a millisecond for each. */
const MAX_ELEMENTS = 10_000;

/** How many characters that must be written as entities are read: each one cuts the text of the document in two. */
const MAX_ENTITIES = 20_000;

/** How many characters of whitespace are kept in a row. */
const MAX_WHITESPACE_RUN_CHARS = 100;

/** How deep elements are kept; of what is deeper only the text is. */
const MAX_DEPTH = 100;

/**
 * How much may be read, where each element and each line of preformatted text counts as often as there are elements
 * around it: every one of them is asked for all that it holds, and may indent it.
 */
const MAX_COST = 200_000;

/** How many elements may be open before a page is not read on: the parser itself looks through all of them. */
const MAX_OPEN_ELEMENTS = 1_000;

/** Bytes that are parsed at once, between two looks at what they cost. */
const CHUNK_CHARS = 16_384;

/** Elements that hold nothing to read. */
const SKIPPED_ELEMENTS = new Set(
  "script style noscript template iframe object embed svg math canvas audio video map dialog select".split(
    " ",
  ),
);

/** Elements that every document has once, and that are written apart. */
const DOCUMENT_ELEMENTS = new Set(["html", "head", "body"]);

/** Attributes that say what a text is or where it leads; of any other element or page nothing else is kept. */
const KEPT_ATTRIBUTES = new Set(
  "href src alt title id class lang dir role rel name property content itemprop hidden aria-hidden style start"
    .split(" "),
);

const VOID_ELEMENTS = new Set("area base br col hr img input link meta source track wbr".split(" "));

const MAX_VALUE_CHARS = 2_000;

/**
 * Pares a page down: without scripts and styles, bounded in elements, depth and attributes, every link absolute.
 * Its cost grows with the page's length and no faster.
 */
export function trimHtml(page: string, base: URL): TrimmedHtml {
  const head: string[] = [];
  const body: string[] = [];
  const kept: boolean[] = [];
  let depth = 0;
  let skippedDepth = 0;
  let elements = 0;
  let entities = 0;
  let cost = 0;
  let preformatted = 0;
  const shorten = createWhitespaceLimiter(MAX_WHITESPACE_RUN_CHARS);
  let baseUrl = base;
  let output = body;
  const parser = new Parser({
    onopentag(name, attributes) {
      const isSkipped = SKIPPED_ELEMENTS.has(name);
      if (isSkipped) skippedDepth++;
      if (name === "base" && URL.canParse(attributes.href ?? "", base.href)) {
        baseUrl = new URL(attributes.href ?? "", base);
      }
      const isKept = skippedDepth === 0 && depth < MAX_DEPTH && /^[a-z][a-z0-9]*$/.test(name) &&
        !DOCUMENT_ELEMENTS.has(name);
      kept.push(isKept);
      if (!isKept) return;
      elements++;
      cost += depth;
      if (!VOID_ELEMENTS.has(name)) depth++;
      if (name === "pre") preformatted++;
      if (name === "title") output = head;
      (name === "meta" ? head : output).push(`<${name}${writeAttributes(attributes, baseUrl)}>`);
    },
    onclosetag(name) {
      if (SKIPPED_ELEMENTS.has(name)) skippedDepth--;
      if (!kept.pop() || VOID_ELEMENTS.has(name)) return;
      depth--;
      if (name === "pre") preformatted--;
      output.push(`</${name}>`);
      if (name === "title") output = body;
    },
    ontext(text) {
      if (skippedDepth > 0) return;
      const kept = shorten(preformatted > 0 ? text : text.replace(/[ \t\r\n\f]+/g, " "));
      entities += countMatches(kept, /[&<]/g);
      cost += depth * countMatches(kept, /\n/g);
      output.push(escapeHtml(kept));
    },
  }, { decodeEntities: true, lowerCaseTags: true });

  let at = 0;
  const isWithinLimits = () =>
    elements < MAX_ELEMENTS && entities < MAX_ENTITIES && cost < MAX_COST && kept.length < MAX_OPEN_ELEMENTS;
  for (; at < page.length && isWithinLimits(); at += CHUNK_CHARS) {
    parser.write(page.slice(at, at + CHUNK_CHARS));
  }
  parser.end();
  const html = `<!doctype html><html><head>${head.join("")}</head><body>${body.join("")}</body></html>`;
  return { html, elements, truncated: at < page.length };
}

function writeAttributes(attributes: Record<string, string>, base: URL): string {
  let written = "";
  for (const name of Object.keys(attributes).slice(0, 50)) {
    const value = attributes[name] ?? "";
    if (!KEPT_ATTRIBUTES.has(name) || value.length > MAX_VALUE_CHARS) continue;
    const kept = name === "href" || name === "src" ? absoluteLink(value, base) : value;
    if (kept !== undefined) written += ` ${name}="${escapeHtml(kept)}"`;
  }
  return written;
}

/** A link as it is from anywhere; nothing for what leads to no page. */
function absoluteLink(value: string, base: URL): string | undefined {
  if (!URL.canParse(value, base.href)) return undefined;
  const url = new URL(value, base);
  return /^(https?|mailto):$/.test(url.protocol) ? url.href : undefined;
}

function countMatches(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function escapeHtml(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}
