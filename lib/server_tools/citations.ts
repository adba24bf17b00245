import type { ContentBlock } from "../anthropic/schema.ts";
import { seal, unseal } from "../dialects/sealed.ts";
import { isObject, type JsonObject } from "../base/json.ts";

/**
 * How a model that knows nothing of citations is had to cite: it writes the mark of a search's hit behind what it
 * takes from it, `[[2.1]]` for the first hit of the second search, and the gateway makes a citation of it.
 */
const MARK = /\[\[(\d{1,3}\.\d{1,3})\]\]/;
/** The beginning of a mark at the end of a text, with the space before it, of which the rest may yet come. */
const PARTIAL_MARK = / ?(?:\[(?:\[(?:\d{1,3}(?:\.(?:\d{1,3}\]?)?)?)?)?)?$/;
/** The most of a page that a citation quotes, in characters. Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool */
const MAX_QUOTE_CHARS = 150;
export const SEALER = "web_search";

/** A page that can be cited. */
export interface Citable {
  url: string;
  title: string;
  text: string;
}

/** A piece of a model's text: words, or a citation of the words before it. */
export type Piece = { text: string } | { citation: JsonObject };

/** Reads citations out of a text that comes in pieces. */
export class CitedText {
  readonly #hits: ReadonlyMap<string, Citable>;
  #held = "";

  /** Takes the pages that can be cited, by their marks. */
  constructor(hits: ReadonlyMap<string, Citable>) {
    this.#hits = hits;
  }

  /** Takes a piece of the text, and gives what has become certain. */
  push(text: string): Piece[] {
    let rest = this.#held + text;
    const pieces: Piece[] = [];
    for (let mark = MARK.exec(rest); mark !== null; mark = MARK.exec(rest)) {
      const before = rest.slice(0, mark.index);
      const hit = this.#hits.get(mark[1] ?? "");
      rest = rest.slice(mark.index + mark[0].length);
      // A mark of nothing is no text of the answer either.
      const prefix = hit === undefined ? before : before.replace(/ $/, "");
      if (prefix !== "") pieces.push({ text: prefix });
      if (hit !== undefined) pieces.push({ citation: toCitation(hit, mark[1] ?? "") });
    }
    const partialStart = PARTIAL_MARK.exec(rest)?.index ?? rest.length;
    this.#held = rest.slice(partialStart);
    if (partialStart > 0) pieces.push({ text: rest.slice(0, partialStart) });
    return pieces;
  }

  /** Gives what was held back. */
  end(): Piece[] {
    const held = this.#held;
    this.#held = "";
    return held === "" ? [] : [{ text: held }];
  }
}

/** The mark by which a model cites a hit of a search. */
export function toMark(search: number, hit: number): string {
  return `${search}.${hit}`;
}

/** Gives a text the marks again that its citations were made of: the text as the model wrote it. */
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
    encrypted_index: seal(SEALER, [{ mark }]),
    cited_text: text.slice(0, MAX_QUOTE_CHARS),
  };
}

function markOf(citation: unknown): string | undefined {
  if (!isObject(citation) || typeof citation.encrypted_index !== "string") return undefined;
  const mark = unseal(citation.encrypted_index, SEALER)?.[0]?.mark;
  return typeof mark === "string" ? mark : undefined;
}
