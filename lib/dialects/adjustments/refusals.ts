import type { ErrorType } from "../../base/errors.ts";
import type { Adjustment } from "./adjustment.ts";
import { findRefusedField } from "./refused_field.ts";

/** A refusal: what was said, and how. */
export interface Refusal {
  type: ErrorType;
  /** The upstream's words. */
  message: string;
  /** Codes of the error, which may say what the words do not. */
  codes?: readonly string[];
  /** The upstream's body, whose `param` may name the refused field. */
  body?: unknown;
}

/** One kind of refusal: the words by which it is recognised, and the change after which the request may succeed. */
interface RefusalRow {
  words: RegExp;
  /** Words that show another problem. */
  unless?: RegExp;
  /** Types of errors; by default {@linkcode REQUEST_ERRORS}. */
  types?: readonly ErrorType[];
  change: Adjustment | ((groups: Readonly<Record<string, string | undefined>>) => Adjustment | undefined);
  /** A documentation or a report with these words. */
  source: string;
}

/** Types of errors that hosts use for a request they do not accept. Chat templates fail with status 500. */
const REQUEST_ERRORS: readonly ErrorType[] = ["invalid_request_error", "not_found_error", "api_error"];

/**
 * The kinds of refusals that show what to change. The first row that matches counts.
 *
 * Every pattern names the cause. A refusal that only quotes a part of the request must not match.
 */
const REFUSALS: readonly RefusalRow[] = [
  // ---- account and earlier thinking
  {
    words: /can only afford (?<tokens>\d+)/i,
    types: ["billing_error"],
    change: ({ tokens }) => ({ change: "affordable_tokens", tokens: Number(tokens) }),
    source: "https://openrouter.ai/docs/api-reference/errors-and-debugging",
  },
  {
    words:
      /signature.{0,40}\bthinking\b|\bthinking\b.{0,200}cannot be modified|bound to a different conversation|thought.?signature.{0,40}(not valid|invalid|corrupt)|missing a.{0,10}thought.?signature|encrypted.?content.{0,80}(verified|invalid|decrypt)|invalid_encrypted_content|duplicate item found with id|'reasoning' was provided without its required|without its required 'reasoning' item/is,
    types: ["invalid_request_error"],
    change: { change: "drop_earlier_thinking" },
    source: "https://github.com/sifxprime/krouter/issues/11",
  },
  {
    words: /reasoning_content.{0,80}must be passed back|reasoning_content is missing in assistant/is,
    change: { change: "return_reasoning" },
    source: "https://github.com/BerriAI/litellm/issues/31439",
  },
  // ---- thinking and effort
  {
    words: /must be verified to generate reasoning summar/i,
    change: { change: "drop_parameter", parameter: "reasoning.summary" },
    source: "https://github.com/charmbracelet/crush/issues/1216",
  },
  {
    words:
      /function tools with reasoning_effort are not supported|tools.{0,80}set reasoning_effort to ['"`]?none/is,
    change: { change: "efforts", efforts: ["none"], besideTools: true },
    source: "https://github.com/danny-avila/LibreChat/issues/14231",
  },
  {
    words:
      /(?:effort|thinking|unsupported value: ['"`](?:none|minimal|low|medium|high|xhigh|max)['"`]).{0,160}?(?:supported values(?: are)?|must be one of|valid levels|input should be|expected one of)\W{0,3}(?<efforts>[\s\S]{0,120})/is,
    change: ({ efforts = "" }) => {
      const listed = [...efforts.matchAll(/\b(none|minimal|low|medium|high|xhigh|max|default)\b/gi)];
      const names = [...new Set(listed.map(([name]) => name.toLowerCase()))];
      return names.length === 0 ? undefined : { change: "efforts", efforts: names };
    },
    source: "https://github.com/openai/codex/issues/6647",
  },
  {
    words: /level ['"`]?\w+['"`]? not supported, valid levels: (?<efforts>[a-z, ]{3,80})/i,
    change: ({ efforts = "" }) => ({ change: "efforts", efforts: efforts.trim().split(/[, ]+/) }),
    source: "https://github.com/nguyenphutrong/quotio/issues/287",
  },
  {
    words: /thinking\.type\W{1,3}enabled.{0,40}not supported|use \W?thinking\.type\W{1,3}adaptive/is,
    change: { change: "adaptive_thinking" },
    source: "https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking",
  },
  {
    words: /adaptive thinking is not supported|input tag 'adaptive' found/i,
    change: { change: "budgeted_thinking" },
    source: "https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking",
  },
  {
    words: /reasoning is mandatory|only works in thinking mode|thinking cannot be disabled/i,
    change: { change: "always_thinks" },
    source: "https://openrouter.ai/docs/use-cases/reasoning-tokens",
  },
  {
    words:
      /does(?: not|n't) support (?:extended |adaptive )?(?:thinking|reasoning)(?: effort)?\b(?! tokens)/i,
    change: { change: "drop_thinking_options" },
    source: "https://github.com/github/copilot-cli/issues/3394",
  },
  // ---- limits
  {
    words: /use ['"`](?<to>max_completion_tokens|max_tokens|max_output_tokens)['"`] instead/i,
    change: ({ to = "" }) => ({
      change: "rename_parameter",
      parameter: to === "max_tokens" ? "max_completion_tokens" : "max_tokens",
      to,
    }),
    source: "https://platform.openai.com/docs/guides/reasoning",
  },
  ...[
    /max(?:_completion|_output)?_tokens: \d+ > (?<tokens>\d+), which is the maximum allowed/i,
    /max(?:_completion|_output)?_tokens.{0,10}? is too large: \d+\. this model supports at most (?<tokens>\d+)/i,
    /range of max(?:_completion|_output)?_tokens (?:is|should be) \[\d+, ?(?<tokens>\d+)\]/i,
    /max(?:_completion|_output)?_tokens\W{0,3} must be less than or equal to \W?(?<tokens>\d+)/i,
    /max(?:_completion|_output)?_tokens\W{0,3}.{0,40}?(?:maximum|at most|limit) (?:is|of|value is)? ?(?<tokens>\d{3,})/i,
  ].map((words): RefusalRow => ({
    words,
    unless: /context (?:length|window)(?! of the)/i,
    change: ({ tokens }) => ({ change: "cap_tokens", tokens: Number(tokens) }),
    source: "https://github.com/deepseek-ai/DeepSeek-V3/issues/69",
  })),
  {
    words:
      /tools\b.{0,60}(?:array too long|too many).{0,80}?(?:maximum length|at most|maximum of) (?<tools>\d+)/is,
    change: ({ tools }) => ({ change: "max_tools", tools: Number(tools) }),
    source: "https://github.com/anomalyco/opencode/issues/4909",
  },
  {
    words: /(?:maximum (?:number )?of (?<tools>\d+) tools|at most (?<more>\d+) (?:tools|functions))\b/i,
    change: ({ tools, more }) => ({ change: "max_tools", tools: Number(tools ?? more) }),
    source: "https://groq.com/docs, Tool use",
  },
  // ---- roles
  {
    words:
      /only user and assistant roles are supported|system role (?:is )?not supported|does not support (?:the )?system (?:role|messages?|prompt)/i,
    change: { change: "system_as_user", every: true },
    source: "https://github.com/vllm-project/vllm/issues/6862",
  },
  {
    words:
      /system messages? must (?:be|come) (?:at the beginning|first)|(?:unexpected|invalid|unsupported)(?: message)? role:? \W?system|role\W{0,3} ?\W?system\W? (?:is )?(?:not|un)|role: input should be 'user' or 'assistant'|roles?\W{1,3}system\W{1,3}(?:is )?not (?:supported|allowed)/i,
    change: { change: "system_as_user" },
    source: "https://github.com/ggml-org/llama.cpp/issues/27367",
  },
  {
    words:
      /roles must alternate|unexpected role \W?user\W? after role|expected (?:the )?roles? to alternate/i,
    change: { change: "alternate_roles" },
    source: "https://github.com/NousResearch/hermes-agent/issues/20154",
  },
  // ---- content
  {
    words:
      /content\W{0,4}:? ?(?:value )?must be a string|content\W{0,3} (?:should|must) be a (?:valid )?string|content: invalid type: (?:sequence|array), expected a string|can only concatenate str/i,
    change: { change: "plain_text" },
    source: "https://groq.com/docs, Text chat",
  },
  {
    words:
      /unknown variant \W?image(?:_url)?\W|image_url\W{1,3}(?:is|are) (?:only supported|not supported)|not a multimodal model|at most 0 image|no endpoints found that support image|(?:does|do|did)(?: not|n't) (?:support|accept|allow|have) (?:the )?(?:image|vision|multimodal|multi-modal)|images?(?: inputs?| content)? (?:is|are) not (?:supported|accepted|allowed)|unsupported content (?:part )?type.{0,40}image|only (?:supports?|accepts?) text|missing data required for image|image input not supported|cannot (?:read|process) "?image/is,
    unless: /format|media.?type|mime|too large|pixels|dimension|base64|\bsize\b|image urls?\b(?!_)/i,
    change: { change: "blocks_as_text", type: "image" },
    source: "https://github.com/farion1231/cc-switch/issues/3663",
  },
  {
    words:
      /unknown variant \W?(?:file|document)\W|(?:does|do)(?: not|n't) (?:support|accept) (?:file|document|pdf)s?\b|(?:file|document|pdf)s?(?: inputs?| content)? (?:is|are) not supported/i,
    unless: /format|media.?type|mime|too large|\bsize\b/i,
    change: { change: "blocks_as_text", type: "document" },
    source: "https://api-docs.deepseek.com/guides/anthropic_api",
  },
  {
    words:
      /(?:unknown|unsupported|invalid|unexpected) (?:content|block)(?: block)?(?: part)? type:? ?\W?(?<type>[a-z][a-z_]{2,40})|input tag \W(?<tag>[a-z][a-z_]{2,40})\W found using/i,
    change: ({ type, tag }) => toBlockChange(type ?? tag),
    source: "https://github.com/farion1231/cc-switch/issues/2941",
  },
  // ---- tools and schemas
  {
    words:
      /no endpoints found that support the provided \W?tool_choice|(?:not|n't) support (?:this|the provided|being set|forced) ?\W?(?:tool_choice|to required)|tool_choice\W{0,3}.{0,60}(?:not supported|unsupported|does not support|incompatible|must be \W?auto)/is,
    change: { change: "tool_choice_auto" },
    source: "https://github.com/cloudwego/eino/issues/994",
  },
  {
    words:
      /invalid schema for (?:function|response_format|text\.format).{0,300}(?:is required to be supplied|'additionalProperties'|missing '|not permitted|strict)|strict (?:mode|schemas?|tools?) (?:is|are) not supported|too many strict tools/is,
    change: { change: "drop_strict" },
    source: "https://github.com/BerriAI/litellm/issues/38211",
  },
  {
    words:
      /proto field is not repeating|function_declarations\[\d+\].{0,120}(?:missing field|property is not defined|only allowed for string)/is,
    change: { change: "simple_schemas" },
    source: "https://github.com/taylorwilsdon/google_workspace_mcp/issues/1099",
  },
  {
    words:
      /unknown name \W{1,2}(?<keyword>[$\w]+)\W{1,2} at \W?(?:tools|function_declarations|generation_config\.response)/i,
    change: { change: "simple_schemas" },
    source: "https://ai.google.dev/gemini-api/docs/openai",
  },
  {
    words:
      /unsupported (?:json )?schema (?:fields?|keywords?):? ?\W{0,3}(?<field>[$\w]+)|(?:schema keyword|json schema keyword) \W?(?<keyword>[$\w]+)\W? is not (?:supported|permitted|allowed)|property \W(?<property>[$\w]+)\W is not supported.{0,20}$|propert(?:y|ies) (?<names>[a-z]\w+)(?:, \w+)* (?:is|are) not supported|input_schema does not support (?<top>oneOf|allOf|anyOf)|at the top level.{0,40}(?<level>oneOf|anyOf|allOf)/i,
    change: ({ field, keyword, property, names, top, level }) =>
      toKeywordChange(field ?? keyword ?? property ?? names ?? top ?? level),
    source: "https://platform.claude.com/docs/en/build-with-claude/structured-outputs",
  },
  {
    words: /pattern must start with '?\^|failed to (?:parse|compile|convert) .{0,40}pattern/i,
    change: { change: "drop_keyword", keyword: "pattern" },
    source: "https://github.com/ggml-org/llama.cpp/blob/master/common/json-schema-to-grammar.cpp",
  },
  {
    words:
      /\b(?:response_format|text\.format|output_config\.format|output_format|structured outputs?)\b(?!\.\w).{0,60}(?:not supported|unsupported|unavailable|not available)|(?:does|do)(?: not|n't) support (?:the )?(?:response_format|structured outputs?)\b/is,
    change: { change: "drop_response_format" },
    source: "https://github.com/BerriAI/litellm/issues/2275",
  },
  // ---- header and cache
  {
    words: /anthropic-beta|invalid beta flag/i,
    change: { change: "drop_betas" },
    source: "https://github.com/BerriAI/litellm/issues/14043",
  },
  {
    words:
      /no endpoints found that support cache control|(?:does|do)(?: not|n't) support (?:prompt caching|cache.?control)/i,
    change: { change: "drop_cache_control" },
    source: "https://openrouter.ai/docs/features/prompt-caching",
  },
];

/**
 * Returns the change after which a refused request may succeed; `undefined` if the refusal shows none.
 *
 * @example Usage
 * ```ts
 * import { findAdjustment } from "./refusals.ts";
 *
 * const message = "Model grok-5 does not support parameter stop.";
 * const found = findAdjustment({ type: "invalid_request_error", message });
 * if (JSON.stringify(found) !== '{"change":"drop_parameter","parameter":"stop"}') throw new Error("not found");
 * ```
 */
export function findAdjustment({ type, message, codes = [], body }: Refusal): Adjustment | undefined {
  const words = message.slice(0, MAX_MESSAGE_CHARS);
  const described = [...codes, words].join(" ");
  for (const row of REFUSALS) {
    if (!(row.types ?? REQUEST_ERRORS).includes(type) || row.unless?.test(described)) continue;
    const match = row.words.exec(described);
    if (match === null) continue;
    const change = typeof row.change === "function" ? row.change(match.groups ?? {}) : row.change;
    if (change !== undefined) return change;
  }
  return type === "invalid_request_error" || type === "api_error" ? findRefusedField(words, body) : undefined;
}

/** Maximum length of a message that is searched, in characters. */
const MAX_MESSAGE_CHARS = 2000;

/** Blocks without which a conversation has no sense. A host that rejects them cannot be helped. */
const ESSENTIAL_BLOCKS = new Set(["text", "tool_use", "tool_result", "thinking", "redacted_thinking"]);

function toBlockChange(name: string | undefined): Adjustment | undefined {
  const type = name === "image_url" || name === "input_image" ? "image" : name === "file" ? "document" : name;
  return type === undefined || ESSENTIAL_BLOCKS.has(type) ? undefined : { change: "blocks_as_text", type };
}

/** Keywords of JSON Schema that say how a value is checked. A schema keeps its shape without them. */
const CHECKING_KEYWORDS =
  /^(\$schema|\$id|\$comment|additionalProperties|patternProperties|propertyNames|(min|max)(Length|Items|imum|Properties|Contains)|exclusive(Min|Max)imum|multipleOf|pattern|format|default|examples?|const|title|uniqueItems|contains|not|if|then|else|dependent\w+|unevaluated\w+|oneOf|anyOf|allOf|minimum|maximum|deprecated|readOnly|writeOnly|content\w+)$/;

function toKeywordChange(keyword: string | undefined): Adjustment | undefined {
  return keyword !== undefined && CHECKING_KEYWORDS.test(keyword)
    ? { change: "drop_keyword", keyword }
    : undefined;
}
