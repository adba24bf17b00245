import type {
  Content,
  ContentBlock,
  CountTokensRequest,
  DocumentBlock,
  Message,
} from "../anthropic/schema.ts";
import { type Family, findFamily } from "./families.ts";
import { countFile, countImage } from "./media.ts";
import type { TextCounter } from "./text.ts";
import { countTools } from "./tools.ts";
import { countValue } from "./value.ts";

/**
 * Estimates the tokens of everything that a model would read: system, tools, messages, every kind of block.
 *
 * Thinking of earlier turns is not read again, and counts for nothing. The answer is never 0, for a client that is
 * told 0 stops watching its context. Source: https://platform.claude.com/docs/en/build-with-claude/token-counting
 *
 * @example Usage
 * ```ts
 * import { estimateTokens } from "./estimate.ts";
 * import { countByRuns } from "./text.ts";
 *
 * const messages = [{ role: "user" as const, content: "What is the capital of France?" }];
 * const tokens = estimateTokens({ model: "claude-haiku-4-5", messages }, countByRuns);
 * if (tokens !== 15) throw new Error(String(tokens));
 * ```
 */
export function estimateTokens(request: CountTokensRequest, counter: TextCounter): number {
  const { messages, system, thinking, output_config, output_format } = request;
  const family = findFamily(request.model);
  const count: TextCounter = (text) => counter(text) * family.scale;
  const format = output_config?.format ?? output_format;
  const turn = messages.findLastIndex(beginsTurn);
  const loaded = new Set(messages.flatMap(({ content }) => findToolReferences(content)));
  const forced = request.tool_choice?.type === "any" || request.tool_choice?.type === "tool";
  const scale = { family, count };
  const tokens = family.request + family.message * messages.length + countContent(system, scale) +
    messages.reduce((sum, message, at) => sum + countMessage(message, at < turn, scale), 0) +
    countTools(request.tools ?? [], { ...scale, loaded, forced }) +
    (format ? family.format + countValue(format, count) : 0) +
    (thinking?.type === "enabled" ? family.thinking : 0);
  return Math.ceil(tokens);
}

/** Whether a message is a user's own: not only the results of tools that the model asked for. */
function beginsTurn({ role, content }: Message): boolean {
  return role === "user" &&
    (typeof content === "string" || content.some((block) => block.type !== "tool_result"));
}

function findToolReferences(content: Content): string[] {
  if (typeof content === "string") return [];
  return content.flatMap((block): string[] => {
    if (block.type === "tool_reference") return [block.tool_name];
    return block.type === "tool_result" ? findToolReferences(block.content ?? "") : [];
  });
}

/** What a block is counted by. */
interface Scale {
  family: Family;
  count: TextCounter;
}

function countMessage({ content }: Message, old: boolean, scale: Scale): number {
  if (!old || typeof content === "string") return countContent(content, scale);
  return countContent(content.filter(({ type }) => !THINKING.has(type)), scale);
}

const THINKING = new Set(["thinking", "redacted_thinking"]);

function countContent(content: Content | null | undefined, scale: Scale): number {
  if (!content) return 0;
  if (typeof content === "string") return scale.count(content);
  return content.reduce((tokens, block) => tokens + countBlock(block, scale), 0);
}

function countBlock(block: ContentBlock, scale: Scale): number {
  const { family, count } = scale;
  switch (block.type) {
    case "text":
      return count(block.text);
    case "image":
      return countImage(block);
    case "document":
      return countDocument(block, scale);
    case "tool_use":
      return family.call + count(block.name) + countValue(block.input, count);
    case "tool_result":
      return countContent(block.content, scale);
    case "thinking":
      return count(block.thinking);
    case "redacted_thinking":
      return Math.ceil(block.data.length / SEALED_CHARS_PER_TOKEN);
    case "tool_reference":
      return count(block.tool_name);
    case "search_result":
      return countValue(block, count);
    default:
      return countValue(block, count);
  }
}

const SEALED_CHARS_PER_TOKEN = 8;

function countDocument(block: DocumentBlock, scale: Scale): number {
  const { source, title, context } = block;
  const words = scale.count(title ?? "") + scale.count(context ?? "") + countFile(block);
  if (source.type === "text") return words + scale.count(source.data);
  return source.type === "content" ? words + countContent(source.content, scale) : words;
}
