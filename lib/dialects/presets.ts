import type { ChatFeatures } from "./openai/chat.ts";

/** Chat completions as OpenAI itself takes them, and whoever is not known better. */
const OPENAI: ChatFeatures = {
  thinking: "reasoning_effort",
  reasoningDetails: false,
  thinkTags: false,
  thoughtSignatures: false,
  cacheControl: false,
  topK: false,
  sessionId: false,
  limit: "max_tokens",
  streamOptions: true,
  files: [],
  parallelToolCalls: true,
  format: "json_schema",
  refusedKeywords: [],
};

/** A model on one's own machine: it samples as one likes, and thinks between tags. */
const LOCAL: ChatFeatures = { ...OPENAI, topK: true, thinkTags: true };

/** The keywords of JSON Schema that Gemini's endpoint refuses. */
const GEMINI_REFUSES = [
  "$schema",
  "$id",
  "additionalProperties",
  "exclusiveMinimum",
  "exclusiveMaximum",
  "patternProperties",
  "propertyNames",
  "const",
  "default",
  "examples",
];

/** The name of a host, or of a kind of host, whose habits are known; `other` is whoever is not. */
export type Preset =
  | "other"
  | "openrouter"
  | "openai"
  | "azure"
  | "gemini"
  | "groq"
  | "deepseek"
  | "mistral"
  | "xai"
  | "zai"
  | "moonshot"
  | "ollama"
  | "vllm"
  | "llamacpp"
  | "lmstudio";

/** The habits of the hosts of chat completions, as data: what is recorded of each, and nothing that is not. */
export const PRESETS: Readonly<Record<Preset, ChatFeatures>> = {
  other: OPENAI,
  openrouter: {
    ...OPENAI,
    thinking: "reasoning",
    reasoningDetails: true,
    cacheControl: true,
    topK: true,
    sessionId: true,
    files: ["base64", "url"],
  },
  openai: { ...OPENAI, limit: "max_completion_tokens", files: ["base64"] },
  azure: { ...OPENAI, limit: "max_completion_tokens" },
  gemini: { ...OPENAI, thoughtSignatures: true, refusedKeywords: GEMINI_REFUSES },
  groq: { ...OPENAI, limit: "max_completion_tokens" },
  deepseek: { ...OPENAI, thinking: "none", format: "json_object" },
  mistral: { ...OPENAI, thinking: "none", streamOptions: false },
  xai: OPENAI,
  zai: { ...OPENAI, thinking: "none", format: "json_object" },
  moonshot: { ...OPENAI, thinking: "none", format: "json_object" },
  // Its chat completions leave out `top_k` without a word. Source: https://docs.ollama.com/openai
  ollama: { ...LOCAL, topK: false },
  vllm: LOCAL,
  llamacpp: { ...LOCAL, parallelToolCalls: false },
  lmstudio: LOCAL,
};
