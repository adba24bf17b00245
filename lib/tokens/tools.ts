import { isCustomTool, type Tool } from "../anthropic/schema.ts";
import type { Family } from "./families.ts";
import type { TextCounter } from "./text.ts";
import { countValue } from "./value.ts";

/** What the cost of tools depends on. */
export interface ToolCountOptions {
  family: Family;
  count: TextCounter;
  /** The names of the tools that a result has referred to. */
  loaded: ReadonlySet<string>;
  /** Whether the model must use one. */
  forced: boolean;
}

/**
 * Estimates what the tools of a request cost: their own words, and the instructions that come with them.
 *
 * A tool whose loading is deferred costs nothing until a result refers to it.
 */
export function countTools(
  tools: readonly Tool[],
  { family, count, loaded, forced }: ToolCountOptions,
): number {
  const sent = tools.filter((tool) => tool.defer_loading !== true || loaded.has(tool.name ?? ""));
  if (sent.length === 0) return 0;
  const instructions = family.tools + (forced ? family.forced : 0);
  return sent.reduce((tokens, tool) => tokens + countTool(tool, family, count), instructions);
}

function countTool(tool: Tool, family: Family, count: TextCounter): number {
  if (!isCustomTool(tool)) return anthropicToolTokens(tool.type);
  const { name, description, input_schema } = tool;
  return family.tool + count(name) + count(description ?? "") +
    family.schema * countValue(input_schema, count);
}

/** What the words of Anthropic's own tools cost, which no request holds; as recorded, or as documented. */
function anthropicToolTokens(type: string): number {
  return ANTHROPIC_TOOL_TOKENS.find(([prefix]) => type.startsWith(prefix))?.[1] ?? OTHER_TOOL_TOKENS;
}

const ANTHROPIC_TOOL_TOKENS: [prefix: string, tokens: number][] = [
  ["bash_", 245],
  ["text_editor_", 700],
  ["computer_", 1300],
  ["memory_", 1075],
  ["tool_search_tool_", 320],
  ["code_execution_", 4150],
];
const OTHER_TOOL_TOKENS = 600;
