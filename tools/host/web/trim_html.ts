import { Parser } from "htmlparser2";
import { createWhitespaceLimiter } from "./spacing.ts";

/** A page reduced to elements that are safe and cheap to process. */
export interface TrimmedHtml {
  /** Well-formed HTML with absolute links. */
  readonly html: string;
  /** Number of elements in `html`. */
  readonly elements: number;
  /** True if the page exceeds a limit. */
  readonly truncated: boolean;
}

/** Maximum number of elements. Later steps take a fraction of a millisecond per element. */
const MAX_ELEMENTS = 10_000;

/** Maximum number of characters `&` and `<`. Each becomes an entity, which splits a text node in two. */
const MAX_ENTITIES = 20_000;

/** Maximum number of consecutive whitespace characters. */
const MAX_WHITESPACE_RUN_CHARS = 100;

/** Nesting depth up to which elements are kept. Deeper elements are reduced to their text. */
const MAX_DEPTH = 100;

/**
 * Maximum cost of a page: the sum of the nesting depths of all elements and of all lines of preformatted text. Every
 * enclosing element processes its whole content again, and may indent it.
 */
const MAX_COST = 200_000;

/** Maximum number of open elements. The parser may search all of them at a closing tag. */
const MAX_OPEN_ELEMENTS = 1_000;

/** Characters parsed between two checks of the limits. */
const CHUNK_CHARS = 16_384;

/** Elements without readable text. */
const SKIPPED_ELEMENTS = new Set(
  "script style noscript template iframe object embed svg math canvas audio video map dialog select".split(
    " ",
  ),
);

/** Elements that occur once in a document and are written separately. */
const DOCUMENT_ELEMENTS = new Set(["html", "head", "body"]);

/** Attributes that describe a text or a link. All other attributes are removed. */
const KEPT_ATTRIBUTES = new Set(
  "href src alt title id class lang dir role rel name property content itemprop hidden aria-hidden style start"
    .split(" "),
);

const VOID_ELEMENTS = new Set("area base br col hr img input link meta source track wbr".split(" "));

/** Maximum length of an attribute value. An attribute with a longer one is removed. */
const MAX_VALUE_CHARS = 2_000;

/**
 * Reduces a page: removes script and style elements, limits elements, depth and attributes, and makes links absolute.
 * Takes linear time in the length of the page.
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

/** Returns the absolute form of a link, or undefined if it is not `http`, `https` or `mailto`. */
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
