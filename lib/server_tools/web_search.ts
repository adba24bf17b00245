import type { SearchHit, SearchQuery } from "../../tools/models.ts";
import type { ResponseBlock } from "../anthropic/events.ts";
import type { ContentBlock, TypedTool } from "../anthropic/schema.ts";
import { seal, unseal } from "../dialects/sealed.ts";
import { asText, isObject, type JsonObject } from "../base/json.ts";
import { type Citable, SEAL_ORIGIN, toMarks } from "./citations.ts";
import { readDomains } from "./domains.ts";
import type { ModelResult, ServerCall, ServerTool, ToolRun } from "./server_tool.ts";
import { createUseCounter, toErrorCode } from "./max_uses.ts";

/** Hits per search. */
const MAX_HITS = 10;

/** True if a tool is Anthropic's web search. */
export function isWebSearch({ type }: Pick<TypedTool, "type">): boolean {
  return /^web_search_\d{8}$/.test(type);
}

/** Options of {@linkcode toWebSearch}. */
export interface WebSearchOptions {
  /** @throws {Error} if the search fails; `code` of a `SearchError` is an error code of Anthropic's API. */
  search(query: SearchQuery, call: ServerCall): Promise<SearchHit[]>;
  /** Fires when the request is aborted. */
  signal: AbortSignal;
  /** Searches of a message whose request has no `max_uses`. */
  defaultMaxUses: number;
}

/**
 * Creates the gateway's web search tool. The client receives Anthropic's result blocks. They hold the text of the pages
 * sealed, so that it is present when the conversation comes back.
 *
 * Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/web-search-tool
 *
 * @throws {ApiError} `invalid_request_error` for invalid domain lists.
 */
export function toWebSearch(
  tool: TypedTool,
  path: string,
  { search, signal, defaultMaxUses }: WebSearchOptions,
): ServerTool {
  const name = tool.name || "web_search";
  const domains = readDomains(tool, path);
  const uses = createUseCounter(tool.max_uses, defaultMaxUses);
  return {
    definition: { name, description: DESCRIPTION, input_schema: SCHEMA },
    path,
    deferred: false,
    kind: "server_tool_use",
    toCallBlock: ({ id, input }) => ({ type: "server_tool_use", id, name, input }),
    async run({ id, input }): Promise<ToolRun> {
      const { query } = input;
      if (!uses.take()) return { block: toErrorBlock(id, "max_uses_exceeded") };
      if (typeof query !== "string" || query.trim() === "") {
        return { block: toErrorBlock(id, "invalid_tool_input") };
      }
      try {
        const hits = await search({ query, ...domains, limit: MAX_HITS }, { id, input });
        return { block: toResultBlock(id, hits.map(toSearchResult)), count: "web_search_requests" };
      } catch (error) {
        if (signal.aborted) throw error;
        return { block: toErrorBlock(id, toErrorCode(error)) };
      }
    },
    tooManyCalls: ({ id }) => ({ block: toErrorBlock(id, "too_many_requests") }),
    toModelResult(result): ModelResult {
      const { content }: JsonObject = { ...result };
      if (!Array.isArray(content)) {
        return {
          content: `Cannot search: ${isObject(content) ? asText(content.error_code) : "no result"}`,
          is_error: true,
        };
      }
      const pages = readPages(result);
      if (pages.length === 0) return { content: "Nothing was found" };
      return { content: pages.map(toPageText).join("\n\n") };
    },
    citations: readPages,
  };
}

function toSearchResult({ url, title, text, age }: SearchHit): JsonObject {
  const encrypted_content = seal(SEAL_ORIGIN, [{ text }]);
  return { type: "web_search_result", url, title, encrypted_content, page_age: age ?? null };
}

function toResultBlock(id: string, content: unknown): ResponseBlock {
  return { type: "web_search_tool_result", tool_use_id: id, content };
}

function toErrorBlock(id: string, error_code: string): ResponseBlock {
  return toResultBlock(id, { type: "web_search_tool_result_error", error_code });
}

function readPages(result: ContentBlock): [mark: string, page: Citable][] {
  const { content, tool_use_id }: JsonObject = { ...result };
  const hits = Array.isArray(content) ? content.filter(isObject) : [];
  const pages = hits.map(({ url, title, encrypted_content: sealed, page_age: age }): Citable => {
    const text = typeof sealed === "string" ? unseal(sealed, SEAL_ORIGIN)?.[0]?.text : undefined;
    return {
      url: asText(url),
      title: asText(title),
      text: typeof text === "string" ? text : "",
      age: asText(age ?? ""),
    };
  });
  const marks = toMarks(asText(tool_use_id), pages);
  return pages.map((page, at) => [marks[at] ?? "", page]);
}

function toPageText([mark, { url, title, text, age }]: [mark: string, page: Citable]): string {
  return `[[${mark}]] ${title}${age ? ` (${age})` : ""}\n${url}\n${text}`;
}

const DESCRIPTION =
  "Searches the web, and gives pages with their addresses and what they say. Behind every statement " +
  "that you take from a page write the mark that stands before its title, as in: Bees dance. [[c0ffee.2]]";
const SCHEMA = {
  type: "object" as const,
  properties: { query: { type: "string", description: "What to search for" } },
  required: ["query"],
};
