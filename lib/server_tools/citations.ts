import type { ContentBlock } from "../anthropic/schema.ts";
import { seal, unseal } from "../dialects/sealed.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { sha256 } from "../base/hash/sha256.ts";

/**
 * Citation mark for models without native citations: `[[c0ffee.1]]` is hit 1 of a search. The model writes the mark
 * after a statement, and the gateway converts it to a citation. The hash of the search is in it, so that the author of
 * a page or file cannot write a mark that a model then repeats.
 */
const MARK = /\[\[([0-9a-f]{6}\.\d{1,3})\]\]/;
/** A partial mark at the end of a text, with the space before it; the rest may follow. */
const PARTIAL_MARK = / ?(?:\[(?:\[(?:[0-9a-f]{1,6}(?:\.(?:\d{1,3}\]?)?)?)?)?)?$/;
/**
 * Maximum characters of a page in a citation. Source:
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
 */
const MAX_QUOTE_CHARS = 150;
/** Origin of sealed search results and citations. */
export const SEAL_ORIGIN = "web_search";

/** A page that can be cited. */
export interface Citable {
  url: string;
  title: string;
  text: string;
  /** Age of the page, as the search words it; empty if unknown. */
  age?: string;
}

/** A piece of a model's text: text, or a citation of the text before it. */
export type Piece = { text: string } | { citation: JsonObject };

/** Converts citation marks in streamed text to citations. */
export class CitedText {
  readonly #hits: ReadonlyMap<string, Citable>;
  #held = "";

  /** `hits` are the pages that can be cited, by mark. */
  constructor(hits: ReadonlyMap<string, Citable>) {
    this.#hits = hits;
  }

  /** Adds text, and returns the pieces that are complete. A partial mark is held back. */
  push(text: string): Piece[] {
    let rest = this.#held + text;
    const pieces: Piece[] = [];
    for (let mark = MARK.exec(rest); mark !== null; mark = MARK.exec(rest)) {
      const before = rest.slice(0, mark.index);
      const hit = this.#hits.get(mark[1] ?? "");
      rest = rest.slice(mark.index + mark[0].length);
      // A mark without a page is removed too.
      const prefix = hit === undefined ? before : before.replace(/ $/, "");
      if (prefix !== "") pieces.push({ text: prefix });
      if (hit !== undefined) pieces.push({ citation: toCitation(hit, mark[1] ?? "") });
    }
    const partialStart = PARTIAL_MARK.exec(rest)?.index ?? rest.length;
    this.#held = rest.slice(partialStart);
    if (partialStart > 0) pieces.push({ text: rest.slice(0, partialStart) });
    return pieces;
  }

  /** Returns the text that was held back. */
  end(): Piece[] {
    const held = this.#held;
    this.#held = "";
    return held === "" ? [] : [{ text: held }];
  }
}

/** Returns the marks of a search's pages, without brackets. They are the same whenever the result is sent again. */
export function toMarks(callId: string, pages: readonly Citable[]): string[] {
  const content = pages.map(({ url, title, text }) => [url, title, text]);
  const search = sha256(JSON.stringify([callId, content])).slice(0, 6);
  return pages.map((_page, at) => `${search}.${at + 1}`);
}

/** Converts the gateway's citations of a text back to marks, as the model wrote them. */
export function restoreMarks(block: ContentBlock): ContentBlock {
  if (block.type !== "text" || !Array.isArray(block.citations)) return block;
  const { citations, ...rest } = block;
  const marks = citations.map(markOf);
  const otherCitations = citations.filter((_, nth) => marks[nth] === undefined);
  const ownMarks = marks.filter((mark) => mark !== undefined);
  if (ownMarks.length === 0) return block;
  const text = `${block.text} ${ownMarks.map((mark) => `[[${mark}]]`).join("")}`;
  return { ...rest, text, ...(otherCitations.length > 0 && { citations: otherCitations }) };
}

function toCitation({ url, title, text }: Citable, mark: string): JsonObject {
  return {
    type: "web_search_result_location",
    url,
    title,
    encrypted_index: seal(SEAL_ORIGIN, [{ mark }]),
    cited_text: text.slice(0, MAX_QUOTE_CHARS),
  };
}

function markOf(citation: unknown): string | undefined {
  if (!isObject(citation) || typeof citation.encrypted_index !== "string") return undefined;
  const mark = unseal(citation.encrypted_index, SEAL_ORIGIN)?.[0]?.mark;
  return typeof mark === "string" ? mark : undefined;
}
