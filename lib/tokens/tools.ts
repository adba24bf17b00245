import { isCustomTool, type Tool } from "../anthropic/schema.ts";
import type { Family } from "./families.ts";
import type { TextCounter } from "./text.ts";
import { countValue } from "./value.ts";

/** Options of {@linkcode countTools}. */
export interface ToolCountOptions {
  family: Family;
  count: TextCounter;
  /** True if a deferred tool does not reach the model yet. */
  isWithheld(tool: Tool): boolean;
  /** True if the model must use a tool. */
  forced: boolean;
}

/**
 * Estimates the tokens of a request's tools: their definitions, and the instructions added with them.
 *
 * A deferred tool counts as 0 until the model gets it.
 */
export function countTools(
  tools: readonly Tool[],
  { family, count, isWithheld, forced }: ToolCountOptions,
): number {
  const sent = tools.filter((tool) => !isWithheld(tool));
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

/** Returns the tokens of a tool that Anthropic's API defines. The values are recorded or documented. */
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
