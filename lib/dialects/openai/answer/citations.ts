import type { MessageWriter } from "../../../anthropic/writer.ts";
import { isObject, type JsonObject } from "../../../base/json.ts";
import { seal } from "../../sealed.ts";

/** How many characters of a source Anthropic quotes. */
const MAX_QUOTE_CHARS = 150;

/**
 * Gathers the sources that an answer names, and cites them on its text.
 *
 * OpenRouter names them before any text, Perplexity's own lists come again with every chunk: each is cited once, as
 * soon as there is text to carry it.
 */
export class CitationReader {
  readonly #writer: MessageWriter;
  readonly #origin: string;
  readonly #seen = new Set<string>();
  #pending: JsonObject[] = [];

  constructor(writer: MessageWriter, origin: string) {
    this.#writer = writer;
    this.#origin = origin;
  }

  /** Takes the `annotations` of a delta. */
  pushAnnotations(annotations: unknown): void {
    if (!Array.isArray(annotations)) return;
    for (const annotation of annotations) {
      if (!isObject(annotation) || annotation.type !== "url_citation") continue;
      const cited = isObject(annotation.url_citation) ? annotation.url_citation : annotation;
      this.#add(cited.url, cited.title, cited.content);
    }
    this.flush();
  }

  /** Takes the lists that Perplexity puts beside the choices: addresses, and what is known of them. */
  pushSearchResults({ citations, search_results }: JsonObject): void {
    if (!Array.isArray(citations)) return;
    const results = Array.isArray(search_results) ? search_results.filter(isObject) : [];
    for (const url of citations) {
      const result = results.find((found) => found.url === url);
      this.#add(url, result?.title, result?.snippet);
    }
    this.flush();
  }

  /** Cites what is waiting, if there is text to carry it. */
  flush(): void {
    this.#pending = this.#pending.filter((citation) => !this.#writer.cite(citation));
  }

  #add(url: unknown, title: unknown, content: unknown): void {
    if (typeof url !== "string" || this.#seen.has(url)) return;
    this.#seen.add(url);
    this.#pending.push({
      type: "web_search_result_location",
      url,
      title: typeof title === "string" && title !== "" ? title : null,
      // Nothing is behind it: it only tells that the citation is the gateway's own.
      encrypted_index: seal(this.#origin, []),
      cited_text: typeof content === "string" ? truncateQuote(content) : "",
    });
  }
}

function truncateQuote(content: string): string {
  const characters = [...content];
  return characters.length <= MAX_QUOTE_CHARS
    ? content
    : `${characters.slice(0, MAX_QUOTE_CHARS - 3).join("")}...`;
}
