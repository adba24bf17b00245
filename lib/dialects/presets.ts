import type { ChatFeatures } from "./openai/chat.ts";
import { MISTRAL_CALL_ID, OPENAI_CALL_ID } from "./openai/model_quirks.ts";
import type { Preset } from "../config/presets.ts";

/** Chat completions as OpenAI itself takes them, and whoever is not known better. */
const OPENAI: ChatFeatures = {
  thinking: "reasoning_effort",
  efforts: ["low", "medium", "high"],
  forcedWhileThinking: true,
  toolChoices: ["auto", "none", "forced"],
  reasoningDetails: false,
  thinkTags: false,
  callsInText: false,
  thoughtSignatures: false,
  cacheControl: false,
  topK: false,
  callIds: undefined,
  signedCalls: false,
  reasoningContent: "none",
  sessionId: false,
  maxTokensField: "max_tokens",
  streamOptions: true,
  files: [],
  parallelToolCalls: true,
  format: "json_schema",
  refusedKeywords: [],
  takenFormats: undefined,
};

/** A model on one's own machine: it samples as one likes, thinks between tags, and may say its calls. */
const LOCAL_HOST: ChatFeatures = { ...OPENAI, topK: true, thinkTags: true, callsInText: true };

/** The keywords of JSON Schema that Gemini's endpoint refuses. */
const GEMINI_REFUSED_KEYWORDS = [
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
/** The habits of the hosts of chat completions, as data: what is recorded of each, and nothing that is not. */
export const CHAT_FEATURES: Readonly<Record<Preset, ChatFeatures>> = {
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
  openai: { ...OPENAI, callIds: OPENAI_CALL_ID, maxTokensField: "max_completion_tokens", files: ["base64"] },
  azure: { ...OPENAI, callIds: OPENAI_CALL_ID, maxTokensField: "max_completion_tokens" },
  gemini: {
    ...OPENAI,
    thoughtSignatures: true,
    refusedKeywords: GEMINI_REFUSED_KEYWORDS,
    // Source: https://ai.google.dev/api/caching#Schema
    takenFormats: ["enum", "date-time", "float", "double", "int32", "int64"],
  },
  groq: { ...OPENAI, maxTokensField: "max_completion_tokens" },
  // It thinks unless it is told not to, and says what its efforts mean. Source: https://api-docs.deepseek.com/guides/thinking_mode
  deepseek: {
    ...OPENAI,
    thinking: "switch",
    efforts: ["minimal", "low", "medium", "high", "xhigh", "max"],
    forcedWhileThinking: false,
    reasoningContent: "of all",
    format: "json_object",
  },
  mistral: { ...OPENAI, thinking: "none", callIds: MISTRAL_CALL_ID, streamOptions: false },
  xai: OPENAI,
  // Some of its models refuse to be told not to think, and all to be made to call a tool.
  // Source: https://docs.z.ai/api-reference/llm/chat-completion
  zai: { ...OPENAI, thinking: "none", toolChoices: ["auto"], format: "json_object" },
  moonshot: {
    ...OPENAI,
    thinking: "none",
    toolChoices: ["auto", "none"],
    reasoningContent: "of all",
    format: "json_object",
  },
  // Its chat completions leave out `top_k` without a word. Source: https://docs.ollama.com/openai
  ollama: { ...LOCAL_HOST, topK: false },
  vllm: LOCAL_HOST,
  llamacpp: { ...LOCAL_HOST, parallelToolCalls: false },
  lmstudio: LOCAL_HOST,
};
