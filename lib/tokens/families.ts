/** Costs that a family of models adds to the text of a request, in tokens. */
export interface Family {
  /** Factor for counted text: above 1 if the family's vocabulary is finer than the counter's. */
  scale: number;
  /** Every request. */
  request: number;
  /** Every message. */
  message: number;
  /** Instructions added if a request has tools. */
  tools: number;
  /** Added to `tools` if the model must use a tool; may be negative. */
  forced: number;
  /** Every tool, beside its text. */
  tool: number;
  /** Factor for a tool's schema: below 1 if the model reads it in a shorter form. */
  schema: number;
  /** Every tool call, with its result. */
  call: number;
  /** Instructions added with a thinking budget. */
  thinking: number;
  /** Instructions added with a schema for the answer. */
  format: number;
}

/**
 * Returns the family of a model by its name at any upstream.
 *
 * @example Usage
 * ```ts
 * import { findFamily } from "./families.ts";
 *
 * if (findFamily("x-ai/grok-4.1-fast").request < 100) throw new Error("Grok adds a long preamble");
 * ```
 */
export function findFamily(model: string): Family {
  return FAMILIES.find(([name]) => name.test(model))?.[1] ?? DEFAULT_FAMILY;
}

/** Source: usage of recorded answers, and https://platform.claude.com/docs/en/agents-and-tools/tool-use/overview */
const CLAUDE: Family = {
  scale: 1,
  request: 3,
  message: 4,
  tools: 320,
  forced: -33,
  tool: 12,
  schema: 1,
  call: 52,
  thinking: 29,
  format: 110,
};

/** Source: usage of recorded answers, and the table of https://github.com/coder/ai-tokenizer */
const DEFAULT_FAMILY: Family = {
  ...CLAUDE,
  request: 4,
  tools: 100,
  forced: 0,
  tool: 25,
  call: 18,
  thinking: 0,
  format: 0,
};
const GPT: Family = { ...DEFAULT_FAMILY, scale: 0.93, request: 3, tools: 8, tool: 5, schema: 0.7 };

/** Families by model name; the first match applies. */
const FAMILIES: [name: RegExp, family: Family][] = [
  [/claude-(opus|sonnet|haiku)-4[.-][56]\b/, { ...CLAUDE, tools: 490, forced: 100 }],
  // These have a finer vocabulary.
  [/claude-(opus-4[.-][7-9]\b|[a-z]+-([5-9]|\d\d)\b)/, { ...CLAUDE, scale: 1.2, tools: 350, forced: 120 }],
  [/claude/, CLAUDE],
  [/gpt-oss/, { ...GPT, request: 66 }],
  [/gpt|\bo\d\b|codex/, GPT],
  [/gemini/, { ...GPT, request: 0, message: 0, tools: 0 }],
  [/gemma/, { ...DEFAULT_FAMILY, request: 10 }],
  [/deepseek/i, { ...DEFAULT_FAMILY, message: 2, tools: 150, tool: 70 }],
  [/grok/, { ...DEFAULT_FAMILY, request: 150, tools: 130, tool: 15 }],
  [/glm/i, { ...DEFAULT_FAMILY, tools: 75 }],
  [/kimi/i, { ...DEFAULT_FAMILY, tools: 0, tool: 15 }],
  [/mistral|codestral|devstral|magistral|pixtral|ministral/, { ...DEFAULT_FAMILY, tools: 0, tool: 35 }],
  [/llama/i, { ...DEFAULT_FAMILY, request: 25, tools: 175, tool: 45 }],
  [/minimax/i, { ...DEFAULT_FAMILY, request: 35, tools: 145, tool: 50 }],
  [/\bnova\b/, { ...DEFAULT_FAMILY, tools: 390, tool: 40 }],
];
