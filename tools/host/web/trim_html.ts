import { Parser } from "htmlparser2";
import { createSpacing } from "./spacing.ts";

/** A page, pared down to what a document may be made of without harm. */
export interface ParedHtml {
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
const MAX_SPACING = 100;

/** How deep elements are kept; of what is deeper only the text is. */
const MAX_DEPTH = 100;

/**
 * How much may be read, where each element and each line of preformatted text counts as often as there are elements
 * around it: every one of them is asked for all that it holds, and may indent it.
 */
const MAX_LOAD = 200_000;

/** How many elements may be open before a page is not read on: the parser itself looks through all of them. */
const MAX_OPEN = 1_000;

/** Bytes that are parsed at once, between two looks at what they cost. */
const STRIDE = 16_384;

/** Elements that hold nothing to read. */
const SILENT = new Set(
  "script style noscript template iframe object embed svg math canvas audio video map dialog select".split(
    " ",
  ),
);

/** Elements that every document has once, and that are written apart. */
const FRAME = new Set(["html", "head", "body"]);

/** Attributes that say what a text is or where it leads; of any other element or page nothing else is kept. */
const KEPT = new Set(
  "href src alt title id class lang dir role rel name property content itemprop hidden aria-hidden style start"
    .split(" "),
);

const VOID = new Set("area base br col hr img input link meta source track wbr".split(" "));

const MAX_VALUE = 2_000;

/**
 * Pares a page down: without scripts and styles, bounded in elements, depth and attributes, every link absolute.
 * Its cost grows with the page's length and no faster.
 */
export function pareHtml(page: string, base: URL): ParedHtml {
  const head: string[] = [];
  const body: string[] = [];
  const kept: boolean[] = [];
  let depth = 0;
  let silent = 0;
  let elements = 0;
  let entities = 0;
  let load = 0;
  let preformatted = 0;
  const shorten = createSpacing(MAX_SPACING);
  let from = base;
  let written = body;
  const parser = new Parser({
    onopentag(name, attributes) {
      const isSilent = SILENT.has(name);
      if (isSilent) silent++;
      if (name === "base" && URL.canParse(attributes.href ?? "", base.href)) {
        from = new URL(attributes.href ?? "", base);
      }
      const isKept = silent === 0 && depth < MAX_DEPTH && /^[a-z][a-z0-9]*$/.test(name) && !FRAME.has(name);
      kept.push(isKept);
      if (!isKept) return;
      elements++;
      load += depth;
      if (!VOID.has(name)) depth++;
      if (name === "pre") preformatted++;
      if (name === "title") written = head;
      (name === "meta" ? head : written).push(`<${name}${writeAttributes(attributes, from)}>`);
    },
    onclosetag(name) {
      if (SILENT.has(name)) silent--;
      if (!kept.pop() || VOID.has(name)) return;
      depth--;
      if (name === "pre") preformatted--;
      written.push(`</${name}>`);
      if (name === "title") written = body;
    },
    ontext(text) {
      if (silent > 0) return;
      const kept = shorten(preformatted > 0 ? text : text.replace(/[ \t\r\n\f]+/g, " "));
      entities += count(kept, /[&<]/g);
      load += depth * count(kept, /\n/g);
      written.push(escape(kept));
    },
  }, { decodeEntities: true, lowerCaseTags: true });

  let at = 0;
  const isBearable = () =>
    elements < MAX_ELEMENTS && entities < MAX_ENTITIES && load < MAX_LOAD && kept.length < MAX_OPEN;
  for (; at < page.length && isBearable(); at += STRIDE) {
    parser.write(page.slice(at, at + STRIDE));
  }
  parser.end();
  const html = `<!doctype html><html><head>${head.join("")}</head><body>${body.join("")}</body></html>`;
  return { html, elements, truncated: at < page.length };
}

function writeAttributes(attributes: Record<string, string>, base: URL): string {
  let written = "";
  for (const name of Object.keys(attributes).slice(0, 50)) {
    const value = attributes[name] ?? "";
    if (!KEPT.has(name) || value.length > MAX_VALUE) continue;
    const kept = name === "href" || name === "src" ? toLink(value, base) : value;
    if (kept !== undefined) written += ` ${name}="${escape(kept)}"`;
  }
  return written;
}

/** A link as it is from anywhere; nothing for what leads to no page. */
function toLink(value: string, base: URL): string | undefined {
  if (!URL.canParse(value, base.href)) return undefined;
  const url = new URL(value, base);
  return /^(https?|mailto):$/.test(url.protocol) ? url.href : undefined;
}

function count(text: string, pattern: RegExp): number {
  return text.match(pattern)?.length ?? 0;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}
