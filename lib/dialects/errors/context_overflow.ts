/** Minimum number of tokens left for an answer. With fewer, Claude Code stops requesting a shorter answer. */
const MIN_ANSWER_TOKENS = 4000;

/**
 * Token counts in overflow messages: `limit`, and either the sum `requested` or its parts `input` and `output`.
 *
 * The order matters: patterns with the parts come first.
 */
const OVERFLOW_NUMBERS = [
  // Anthropic
  /exceed context limit: (?<input>\d+) \+ (?<output>\d+) > (?<limit>\d+)/i,
  /(?<requested>\d+) tokens > (?<limit>\d+) maximum/i,
  // vLLM, which counts only as much of the prompt as is too long
  /maximum context length is (?<limit>\d+) tokens.{0,80}?requested (?<output>\d+) output tokens.{0,80}?(?<input>\d+) input tokens/is,
  // OpenRouter, OpenAI, Azure, DeepSeek, Qwen, vLLM; the parts may follow in parentheses
  /maximum context length is (?<limit>\d+) tokens.{0,80}?(?:requested|resulted in|request has)(?: about)? (?<requested>\d+) tokens(?:.{0,200}?(?<output>\d+) (?:in|for) the (?:output|completion))?/is,
  // vLLM, which has three wordings
  /too large: (?<output>\d+)\. .{0,80}?context length is (?<limit>\d+) tokens.{0,80}?(?<input>\d+) input tokens/is,
  /(?<input>\d+) input tokens and requested (?<output>\d+) output tokens.{0,80}?context length is(?: only)? (?<limit>\d+)/is,
  /\(length (?<requested>\d+)\) is longer than the maximum model length of (?<limit>\d+)/i,
  // text-generation-inference
  /must be <= (?<limit>\d+)\. Given: (?<input>\d+) `?inputs`? tokens and (?<output>\d+)/i,
  // llama.cpp
  /request \((?<requested>\d+) tokens\) exceeds the available context size \((?<limit>\d+) tokens\)/i,
  // Gemini, and Vertex
  /input token count \((?<requested>\d+)\) exceeds the maximum number of tokens allowed \((?<limit>\d+)\)/i,
  /token count is (?<requested>\d+) but model only supports up to (?<limit>\d+)/i,
  // Mistral
  /contains (?<requested>\d+) tokens.{0,80}?too large for model with (?<limit>\d+) maximum context length/is,
  // xAI
  /maximum prompt length is (?<limit>\d+) but the request contains (?<requested>\d+) tokens/i,
  // Moonshot
  /model token limit: (?<limit>\d+) \(requested: (?<requested>\d+)\)/i,
  // LM Studio
  /first (?<requested>\d+) tokens.{0,120}?context length of only (?<limit>\d+) tokens/is,
  /n_keep: (?<requested>\d+) ?>= ?n_ctx: (?<limit>\d+)/i,
  // Cerebras, Fireworks
  /current length is (?<requested>\d+) while limit is (?<limit>\d+)/i,
  /prompt is too long: (?<requested>\d+), model maximum context length: (?<limit>\d+)/i,
  // GitHub Copilot
  /token count of (?<requested>\d+) exceeds the limit of (?<limit>\d+)/i,
  // SGLang, TensorRT-LLM
  /input (?:length )?\((?<requested>\d+)(?: tokens)?\) (?:is longer than|exceeds).{0,60}?\((?<limit>\d+)(?: tokens)?\)/is,
  /(?:prompt|input) length \(?(?<requested>\d+)\)? exceeds.{0,40}?length \(?(?<limit>\d+)\)?/is,
  // MLX, and others in these words
  /(?<requested>\d+) tokens,? (?:which )?exceeds? (?:the )?(?:model's )?(?:max(?:imum)? )?(?:context|input|token) (?:window|length|size|limit)(?: of)? (?<limit>\d+)/i,
  // text-generation-inference, without an answer
  /must have less than (?<limit>\d+) tokens\. Given: (?<requested>\d+)/i,
  // OpenAI's models with a limit of the input
  /configured limit of (?<limit>\d+) tokens.{0,80}?resulted in (?<requested>\d+) tokens/is,
  // Cohere
  /cannot exceed (?<limit>\d+)(?: tokens)? - received (?<requested>\d+)/i,
  // SambaNova, Amazon Bedrock
  /maximum context length (?:of .{1,80}? )?is (?<limit>\d+).{0,120}?will (?:take|require) (?<requested>\d+) tokens/is,
  /(?:prompt|input)(?: length)? of (?<requested>\d+) tokens exceeds.{0,60}?(?<limit>\d+)/is,
  // SGLang, with the parts
  /maximum context length of (?<limit>\d+) tokens.{0,80}?total of (?<requested>\d+) tokens(?:.{0,120}?(?<output>\d+) tokens for the completion)?/is,
  // Other words, in which the length stands before the limit
  /(?=.*(?:token|context|seq))(?!.*(?:per (?:second|min|hour|day)|\bTPM\b|quota|rate.?limit))\b(?:prompt|input|sequence|conversation).{0,60}?(?<requested>\d{3,}).{0,80}?(?:exceed|longer than|more than|supports|>).{0,60}?(?<limit>\d{3,})/is,
  // Groq, OpenAI: one request exceeds the tokens per minute, so that waiting does not help
  /request too large for .{0,200}?limit (?<limit>\d+), requested (?<requested>\d+)/is,
];

/** Token counts in overflow messages that hold only one: the limit, or by how many tokens the request exceeds it. */
const PARTIAL_NUMBERS = [
  // Ollama
  /exceed(?:s|ed)? (?:the )?max(?:imum)? context length by (?<excess>\d+) tokens/i,
  /(?<excess>\d+) tokens (?:over|above|beyond) (?:the )?(?:model's )?(?:context|input|token)/i,
  // DashScope
  /range of input length should be \[\d+, ?(?<limit>\d+)\]/i,
  // OpenAI, vLLM and most others
  /(?:context|prompt|input|model) (?:length|window|size)(?: limit)?(?: is| of)?(?: only| at most)?:? (?<limit>\d+)/i,
  /limit(?:ed)? (?:is|of|to) (?<limit>\d+) (?:input )?tokens/i,
];

/** Overflow messages without token counts: Claude Code's list, and other hosts' wordings. */
const OVERFLOW_MESSAGES = new RegExp(
  [
    "prompt is too long",
    "prompt too long",
    "input is too long",
    "input length exceeds",
    "input token length too long",
    "context_length_exceeded",
    "exceed_context_size",
    "contextwindowexceedederror",
    "maximum context length",
    "maximum context limit",
    "maximum prompt length",
    "maximum model length",
    "model's context length",
    "context length of only",
    "exceeds the context window",
    "context window exceeds limit",
    "available context size",
    "exceeded model token limit",
    "exceeds the maximum number of tokens allowed",
    "model only supports up to",
    "prompt exceeds max length",
    "reduce the length of the messages",
    "range of input length should be",
    "too many tokens:",
    "exceeds? (the )?(model's )?max(imum)? (context|message tokens)",
    "(输入|上下文|提示词?).{0,12}(超过|超出|超限|过长|太长)",
    "too many (input |prompt )?tokens in (the )?(prompt|request|input)",
    "input tokens exceed",
    "total number of tokens in the prompt cannot exceed",
    "context size has been exceeded",
    "context (length|window|size) (was |has been |is )?exceeded",
    "tokens to keep from the initial prompt is greater than the context length",
    "model_max_prompt_tokens_exceeded",
    // In no order of words: something of the request is too long for the context
    "\\b(prompt|input|conversation|request|messages)\\b[^.]{0,60}\\b(too long|too large|exceed\\w*|longer than)\\b[^.]{0,60}\\bcontext\\b",
  ].join("|"),
  "i",
);
/** Messages about lengths that are not an overflow. */
const NON_OVERFLOW_MESSAGES = /policy_blocked|dlp_request_denied|expected maxlength/i;

/**
 * True if an upstream's message means that the conversation exceeds the model's context.
 *
 * With status 429, only token counts show an overflow. Other wordings then refer to tokens per minute.
 */
export function isOverflow(message: string, status: number): boolean {
  if (NON_OVERFLOW_MESSAGES.test(message)) return false;
  return findNumbers(message) !== undefined || (status !== 429 && OVERFLOW_MESSAGES.test(message));
}

/**
 * Rewrites an overflow message in one of Anthropic's two wordings.
 *
 * On "prompt is too long", Claude Code compacts the conversation. On "exceed context limit", it requests a shorter
 * answer.
 *
 * @example Usage
 * ```ts
 * import { toOverflowMessage } from "./context_overflow.ts";
 *
 * const words = "The input token count (1100) exceeds the maximum number of tokens allowed (1000).";
 * const message = toOverflowMessage(words);
 * if (message !== "prompt is too long: 1100 tokens > 1000 maximum") throw new Error(message);
 * ```
 */
export function toOverflowMessage(message: string): string {
  const found = findNumbers(message);
  if (found === undefined) {
    return /^prompt is too long/i.test(message) ? message : `prompt is too long: ${message}`;
  }
  const { input, output, requested, limit } = found;
  return output !== undefined && limit - input >= MIN_ANSWER_TOKENS
    ? `input length and \`max_tokens\` exceed context limit: ${input} + ${output} > ${limit}, ` +
      "decrease input length or `max_tokens` and try again"
    : `prompt is too long: ${requested} tokens > ${limit} maximum`;
}

/** What an overflow message says if it does not say both how long the request is and how long it may be. */
export interface UncountedOverflow {
  /** Maximum number of tokens. */
  limit?: number;
  /** Number of tokens by which the request exceeds the maximum. */
  excess?: number;
}

/** Returns what an overflow message says without both token counts; `undefined` if it has both. */
export function findUncounted(message: string): UncountedOverflow | undefined {
  if (findNumbers(message) !== undefined) return undefined;
  const plain = withoutSeparators(message);
  for (const pattern of PARTIAL_NUMBERS) {
    const { limit, excess } = pattern.exec(plain)?.groups ?? {};
    if (limit !== undefined) return { limit: Number(limit) };
    if (excess !== undefined) return { excess: Number(excess) };
  }
  return {};
}

/** Removes the separators of thousands. */
function withoutSeparators(message: string): string {
  return message.replace(/(?<=\d),(?=\d{3}\b)/g, "");
}

/** Returns the token counts of a message; `undefined` if there are none, or they fit into the limit. */
function findNumbers(
  message: string,
): { input: number; output: number | undefined; requested: number; limit: number } | undefined {
  const plain = withoutSeparators(message);
  for (const pattern of OVERFLOW_NUMBERS) {
    const groups = pattern.exec(plain)?.groups;
    if (groups?.limit === undefined) continue;
    const limit = Number(groups.limit);
    const output = groups.output === undefined ? undefined : Number(groups.output);
    const requested = groups.requested === undefined
      ? Number(groups.input) + (output ?? 0)
      : Number(groups.requested);
    const input = groups.input === undefined ? requested - (output ?? 0) : Number(groups.input);
    if (requested > limit || requested === limit && output === undefined) {
      return { input, output, requested, limit };
    }
  }
  return undefined;
}
