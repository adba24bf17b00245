/** Tokens that leave room for an answer: with less, Claude Code gives up asking for a shorter one. */
const MIN_ANSWER_TOKENS = 4000;

/**
 * How hosts name the numbers of an overflow: `limit`, and either `asked` in all or `input` and `output` apart.
 * The order counts: what names the parts comes first.
 */
const OVERFLOW_NUMBERS = [
  // Anthropic
  /exceed context limit: (?<input>\d+) \+ (?<output>\d+) > (?<limit>\d+)/i,
  /(?<asked>\d+) tokens > (?<limit>\d+) maximum/i,
  // OpenRouter, OpenAI, Azure, DeepSeek, vLLM; the parts may stand in brackets behind
  /maximum context length is (?<limit>\d+) tokens.{0,80}?(?:requested|resulted in)(?: about)? (?<asked>\d+) tokens(?:.{0,200}?(?<output>\d+) (?:in|for) the (?:output|completion))?/is,
  // vLLM, which has said it in three ways
  /too large: (?<output>\d+)\. .{0,80}?context length is (?<limit>\d+) tokens.{0,80}?(?<input>\d+) input tokens/is,
  /(?<input>\d+) input tokens and requested (?<output>\d+) output tokens.{0,80}?context length is(?: only)? (?<limit>\d+)/is,
  /\(length (?<asked>\d+)\) is longer than the maximum model length of (?<limit>\d+)/i,
  // text-generation-inference
  /must be <= (?<limit>\d+)\. Given: (?<input>\d+) `inputs` tokens and (?<output>\d+)/i,
  // llama.cpp
  /request \((?<asked>\d+) tokens\) exceeds the available context size \((?<limit>\d+) tokens\)/i,
  // Gemini, and Vertex
  /input token count \((?<asked>\d+)\) exceeds the maximum number of tokens allowed \((?<limit>\d+)\)/i,
  /token count is (?<asked>\d+) but model only supports up to (?<limit>\d+)/i,
  // Mistral
  /contains (?<asked>\d+) tokens.{0,80}?too large for model with (?<limit>\d+) maximum context length/is,
  // xAI
  /maximum prompt length is (?<limit>\d+) but the request contains (?<asked>\d+) tokens/i,
  // Moonshot
  /model token limit: (?<limit>\d+) \(requested: (?<asked>\d+)\)/i,
  // LM Studio
  /first (?<asked>\d+) tokens.{0,120}?context length of only (?<limit>\d+) tokens/is,
  /n_keep: (?<asked>\d+) ?>= ?n_ctx: (?<limit>\d+)/i,
  // Cerebras, Fireworks
  /current length is (?<asked>\d+) while limit is (?<limit>\d+)/i,
  /prompt is too long: (?<asked>\d+), model maximum context length: (?<limit>\d+)/i,
  // Groq, OpenAI: one request asks for more than a minute has, which no waiting helps
  /request too large for .{0,200}?limit (?<limit>\d+), requested (?<asked>\d+)/is,
];

/** What says overflow without numbers: Claude Code's own list, and what other hosts say. */
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
  ].join("|"),
  "i",
);
/** What speaks of lengths and is no overflow. */
const NON_OVERFLOW_MESSAGES = /policy_blocked|dlp_request_denied|expected maxlength/i;

/**
 * Tells whether an upstream says that a conversation is longer than the model takes.
 *
 * Where it speaks of a rate (429), only numbers that no waiting changes say so: other words there mean a minute's tokens.
 */
export function isOverflow(message: string, status: number): boolean {
  if (NON_OVERFLOW_MESSAGES.test(message)) return false;
  return findNumbers(message) !== undefined || (status !== 429 && OVERFLOW_MESSAGES.test(message));
}

/**
 * Words an overflow as Anthropic does. Claude Code compacts the conversation when it reads the one, and asks for a
 * shorter answer when it reads the other.
 *
 * @example Usage
 * ```ts
 * import { toOverflowMessage } from "./context_overflow.ts";
 *
 * const said = toOverflowMessage("The input token count (1100) exceeds the maximum number of tokens allowed (1000).");
 * if (said !== "prompt is too long: 1100 tokens > 1000 maximum") throw new Error(said);
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

/** The numbers of an overflow, where it has some that make one. */
function findNumbers(
  message: string,
): { input: number; output: number | undefined; requested: number; limit: number } | undefined {
  const plain = message.replace(/(?<=\d),(?=\d{3}\b)/g, "");
  for (const pattern of OVERFLOW_NUMBERS) {
    const groups = pattern.exec(plain)?.groups;
    if (groups?.limit === undefined) continue;
    const limit = Number(groups.limit);
    const output = groups.output === undefined ? undefined : Number(groups.output);
    const requested = groups.asked === undefined
      ? Number(groups.input) + (output ?? 0)
      : Number(groups.asked);
    const input = groups.input === undefined ? requested - (output ?? 0) : Number(groups.input);
    if (requested > limit || requested === limit && output === undefined) {
      return { input, output, requested, limit };
    }
  }
  return undefined;
}
