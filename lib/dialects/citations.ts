import type { MessageWriter } from "../anthropic/writer.ts";
import { isObject, type JsonObject } from "../base/json.ts";
import { seal } from "./sealed.ts";

/** Maximum length of `cited_text` in Anthropic's answers, in characters. */
const MAX_QUOTE_CHARS = 150;

/** Maximum number of citations in an answer, and maximum length of their URLs. Further ones are left out. */
const MAX_CITATIONS = 10_000;
const MAX_URL_CHARS = 10_000;

/**
 * Converts the citations of an answer and adds them to its text blocks.
 *
 * OpenRouter sends citations before any text, and Perplexity repeats its lists in every chunk. So each URL is
 * cited once, as soon as there is a text block.
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

  /** Reads the `annotations` of a delta. */
  pushAnnotations(annotations: unknown): void {
    if (!Array.isArray(annotations)) return;
    for (const annotation of annotations) {
      if (!isObject(annotation) || annotation.type !== "url_citation") continue;
      const cited = isObject(annotation.url_citation) ? annotation.url_citation : annotation;
      this.#add(cited.url, cited.title, cited.content);
    }
    this.flush();
  }

  /** Reads the lists that Perplexity sends beside the choices: `citations` has URLs, `search_results` their titles. */
  pushSearchResults({ citations, search_results }: JsonObject): void {
    if (!Array.isArray(citations)) return;
    const results = Array.isArray(search_results) ? search_results.filter(isObject) : [];
    const byUrl = new Map(
      results.toReversed().filter(({ url }) => isUrl(url)).map((result) => [result.url, result]),
    );
    for (const url of citations.filter(isUrl)) {
      const result = byUrl.get(url);
      this.#add(url, result?.title, result?.snippet);
    }
    this.flush();
  }

  /** Adds pending citations to the open text block, if there is one. */
  flush(): void {
    if (this.#pending.length === 0) return;
    // The first citation that cannot be added shows that there is no open text block.
    const added = this.#pending.findIndex((citation) => !this.#writer.cite(citation));
    this.#pending = added < 0 ? [] : added === 0 ? this.#pending : this.#pending.slice(added);
  }

  #add(url: unknown, title: unknown, content: unknown): void {
    if (!isUrl(url) || this.#seen.has(url) || this.#seen.size >= MAX_CITATIONS) return;
    this.#seen.add(url);
    this.#pending.push({
      type: "web_search_result_location",
      url,
      title: typeof title === "string" && title !== "" ? title : null,
      // The seal is empty: it only marks the citation as one of the gateway.
      encrypted_index: seal(this.#origin, []),
      cited_text: typeof content === "string" ? truncateQuote(content) : "",
    });
  }
}

function isUrl(url: unknown): url is string {
  return typeof url === "string" && url.length <= MAX_URL_CHARS;
}

function truncateQuote(content: string): string {
  const characters = [...content];
  return characters.length <= MAX_QUOTE_CHARS
    ? content
    : `${characters.slice(0, MAX_QUOTE_CHARS - 3).join("")}...`;
}
