import type { ResponseBlock } from "../anthropic/events.ts";
import type { CustomTool, TypedTool } from "../anthropic/schema.ts";
import { asText, isObject, type JsonObject } from "../base/json.ts";
import type { ModelResult, ServerTool, ToolRun } from "./server_tool.ts";
import { createUseCounter } from "./max_uses.ts";

/** Tools that a search returns: default and maximum. */
const DEFAULT_HITS = 5;
const MAX_HITS = 50;
/**
 * Maximum length of a pattern and of a query. Source:
 * https://platform.claude.com/docs/en/agents-and-tools/tool-use/tool-search-tool
 */
const MAX_QUERY_CHARS = { regex: 200, bm25: 500 } as const;

/** Maximum searches in one message. */
const MAX_SEARCHES = 16;
/** Maximum steps of a regex search: instructions of the pattern's program times characters. */
const MAX_STEPS = 50_000_000;
/** Maximum characters that a word search reads. */
const MAX_READ_CHARS = 2_000_000;

const TOOL_TYPE = /^tool_search_tool_(regex|bm25)(?:_\d{8})?$/;

/** True if a tool is Anthropic's tool search. */
export function isToolSearch({ type }: Pick<TypedTool, "type">): boolean {
  return TOOL_TYPE.test(type);
}

/**
 * Creates the search for deferred tools: by a regular expression in linear time, or by the words of a query. The model
 * sees the tools that it finds from the next turn on.
 */
export function toToolSearch(
  tool: TypedTool,
  path: string,
  deferred: () => readonly CustomTool[],
): ServerTool {
  const kind = TOOL_TYPE.exec(tool.type)?.[1] === "bm25" ? "bm25" : "regex";
  const name = tool.name || `tool_search_tool_${kind}`;
  const uses = createUseCounter(MAX_SEARCHES);
  return {
    definition: { name, ...DEFINITIONS[kind] },
    path,
    deferred: false,
    isToolSearch: true,
    trusted: true,
    kind: "server_tool_use",
    toCallBlock: ({ id, input }) => ({ type: "server_tool_use", id, name, input }),
    async run({ id, input }): Promise<ToolRun> {
      if (!uses.take()) {
        return {
          block: toErrorBlock(id, "too_many_requests", `at most ${MAX_SEARCHES} searches per message`),
        };
      }
      const found = await (kind === "bm25" ? findByWords : findByPattern)(input, deferred());
      return {
        block: typeof found === "string"
          ? toErrorBlock(id, "invalid_tool_input", found)
          : toFoundBlock(id, found),
      };
    },
    tooManyCalls: ({ id }) => ({
      block: toErrorBlock(id, "too_many_requests", "too many calls in one turn"),
    }),
    toModelResult(result): ModelResult {
      const { content }: JsonObject = { ...result };
      if (!isObject(content) || content.type === "tool_search_tool_result_error") {
        return {
          content: `Cannot search: ${isObject(content) ? asText(content.error_message) : "no result"}`,
          is_error: true,
        };
      }
      const names = readReferences(content);
      return {
        content: names.length === 0 ? "No tool matches" : `Tools that can be called now: ${names.join(", ")}`,
      };
    },
  };
}

function toFoundBlock(id: string, names: readonly string[]): ResponseBlock {
  const tool_references = names.map((tool_name) => ({ type: "tool_reference", tool_name }));
  const content = { type: "tool_search_tool_search_result", tool_references };
  return { type: "tool_search_tool_result", tool_use_id: id, content };
}

function toErrorBlock(id: string, error_code: string, error_message: string): ResponseBlock {
  const content = { type: "tool_search_tool_result_error", error_code, error_message };
  return { type: "tool_search_tool_result", tool_use_id: id, content };
}

/** Returns the tool names in a search result. */
export function readReferences({ tool_references: references }: JsonObject): string[] {
  const found = Array.isArray(references) ? references.filter(isObject) : [];
  return found.flatMap(({ tool_name }) => typeof tool_name === "string" ? [tool_name] : []);
}

async function findByPattern(
  { pattern, limit }: JsonObject,
  tools: readonly CustomTool[],
): Promise<string[] | string> {
  if (typeof pattern !== "string" || pattern === "") return "pattern: expected a regular expression";
  if (pattern.length > MAX_QUERY_CHARS.regex) {
    return `pattern: expected at most ${MAX_QUERY_CHARS.regex} characters`;
  }
  const { RE2JS } = await import("re2js");
  try {
    const matcher = RE2JS.compile(pattern, RE2JS.CASE_INSENSITIVE);
    const maxChars = maxCharsPerText(MAX_STEPS / matcher.programSize(), tools);
    const found = tools.filter((tool) =>
      Object.values(searchableText(tool)).some((text) => matcher.matcher(text.slice(0, maxChars)).find())
    );
    return found.map(({ name }) => name).slice(0, parseLimit(limit));
  } catch {
    return "pattern: not a valid regular expression; look-around and back-references are not supported";
  }
}

async function findByWords(
  { query, limit }: JsonObject,
  tools: readonly CustomTool[],
): Promise<string[] | string> {
  if (typeof query !== "string" || query.trim() === "") return "query: expected some words";
  if (query.length > MAX_QUERY_CHARS.bm25) {
    return `query: expected at most ${MAX_QUERY_CHARS.bm25} characters`;
  }
  const { default: MiniSearch } = await import("minisearch");
  const index = new MiniSearch({ idField: "name", fields: ["words", "description", "parameters"], tokenize });
  const maxChars = maxCharsPerText(MAX_READ_CHARS, tools);
  for (const tool of tools) {
    const { name, description, parameters } = searchableText(tool);
    if (index.has(name)) continue;
    index.add({
      name,
      words: name,
      description: description.slice(0, maxChars),
      parameters: parameters.slice(0, maxChars),
    });
  }
  return index.search(query).map(({ id }) => String(id)).slice(0, parseLimit(limit));
}

/** Maximum characters of each text of each tool, so that the whole search stays within the budget. */
function maxCharsPerText(budget: number, tools: readonly CustomTool[]): number {
  return Math.max(1, Math.floor(budget / (3 * tools.length)));
}

/** Splits text into words. `getUserName` and `get_user_name` are three words each. */
function tokenize(text: string): string[] {
  return text.replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2").split(/[^\p{L}\p{N}]+/u).filter(Boolean);
}

function parseLimit(limit: unknown): number {
  return typeof limit === "number" && limit >= 1 ? Math.min(Math.floor(limit), MAX_HITS) : DEFAULT_HITS;
}

/** Returns the searchable texts of a tool: name, description, and parameters with their descriptions. */
function searchableText({ name, description, input_schema: { properties } }: CustomTool) {
  const parameters = isObject(properties) ? Object.entries(properties) : [];
  const parameterTexts = parameters.map(([key, schema]) => {
    const detail = isObject(schema) && typeof schema.description === "string" ? schema.description : "";
    return `${key} ${detail}`;
  });
  return { name, description: description ?? "", parameters: parameterTexts.join("\n") };
}

const text = (description: string) => ({ type: "string", description });
const limit = {
  type: "integer",
  description: `Maximum number of tools to return; default ${DEFAULT_HITS}`,
};
const SEARCH_HINT =
  "More tools exist than you can see. Search for those that a task needs before you answer that you cannot do it. ";
const DEFINITIONS: Record<keyof typeof MAX_QUERY_CHARS, Pick<CustomTool, "description" | "input_schema">> = {
  regex: {
    description:
      `${SEARCH_HINT}Searches names, descriptions and parameters of all tools by a regular expression, in any case.`,
    input_schema: {
      type: "object",
      properties: { pattern: text('The expression, such as "weather|forecast"'), limit },
      required: ["pattern"],
    },
  },
  bm25: {
    description: `${SEARCH_HINT}Searches names, descriptions and parameters of all tools for words.`,
    input_schema: {
      type: "object",
      properties: { query: text("What the tool should do, in a few words"), limit },
      required: ["query"],
    },
  },
};
