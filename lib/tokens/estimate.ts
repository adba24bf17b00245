import type {
  Content,
  ContentBlock,
  CountTokensRequest,
  DocumentBlock,
  Message,
} from "../anthropic/schema.ts";
import { findDeferredTools } from "../dialects/mod.ts";
import { type Family, findFamily } from "./families.ts";
import { countFile, countImage } from "./media.ts";
import type { TextCounter } from "./text.ts";
import { countTools } from "./tools.ts";
import { countValue } from "./value.ts";

/**
 * Estimates the input tokens of a request: system, tools, messages and every kind of block; at least 1.
 *
 * Thinking of earlier turns does not count, because the model does not read it again.
 * Source: https://platform.claude.com/docs/en/build-with-claude/token-counting
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
  const lastTurnStart = messages.findLastIndex(startsTurn);
  const { isWithheld } = findDeferredTools(request, { runsServerSearch: true });
  const forced = request.tool_choice?.type === "any" || request.tool_choice?.type === "tool";
  const options = { family, count };
  let messageTokens = 0;
  for (let at = 0; at < messages.length; at++) {
    messageTokens += countContent(messages[at]?.content, options, at < lastTurnStart);
  }
  const tokens = family.request + family.message * messages.length + countContent(system, options) +
    messageTokens +
    countTools(request.tools ?? [], { ...options, isWithheld, forced }) +
    (format ? family.format + countValue(format, count) : 0) +
    (thinking?.type === "enabled" ? family.thinking : 0);
  return Math.max(1, Math.ceil(tokens));
}

/** Returns true if a user message holds more than tool results. */
function startsTurn({ role, content }: Message): boolean {
  return role === "user" &&
    (typeof content === "string" || content.some((block) => block.type !== "tool_result"));
}

/** Model family and text counter for the count of a block. */
interface CountOptions {
  family: Family;
  count: TextCounter;
}

const THINKING_TYPES = new Set(["thinking", "redacted_thinking"]);

function countContent(
  content: Content | null | undefined,
  options: CountOptions,
  omitsThinking = false,
): number {
  if (!content) return 0;
  if (typeof content === "string") return options.count(content);
  let tokens = 0;
  for (let at = 0; at < content.length; at++) {
    const block = content[at];
    if (block && !(omitsThinking && THINKING_TYPES.has(block.type))) tokens += countBlock(block, options);
  }
  return tokens;
}

function countBlock(block: ContentBlock, options: CountOptions): number {
  const { family, count } = options;
  switch (block.type) {
    case "text":
      return count(block.text);
    case "image":
      return countImage(block);
    case "document":
      return countDocument(block, options);
    case "tool_use":
      return family.call + count(block.name) + countValue(block.input, count);
    case "tool_result":
      return countContent(block.content, options);
    case "thinking":
      return count(block.thinking);
    case "redacted_thinking":
      return Math.ceil(block.data.length / SEALED_CHARS_PER_TOKEN);
    case "tool_reference":
      return count(block.tool_name);
    default:
      return countValue(block, count);
  }
}

const SEALED_CHARS_PER_TOKEN = 8;

function countDocument(block: DocumentBlock, options: CountOptions): number {
  const { source, title, context } = block;
  const tokens = options.count(title ?? "") + options.count(context ?? "") + countFile(block);
  if (source.type === "text") return tokens + options.count(source.data);
  return source.type === "content" ? tokens + countContent(source.content, options) : tokens;
}
