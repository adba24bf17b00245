import type { ChatFeatures } from "./openai/chat.ts";
import { DEFAULT_FEATURES, type ResponsesFeatures } from "./responses/features.ts";
import { MISTRAL_CALL_ID, OPENAI_CALL_ID } from "./openai/model_quirks.ts";
import type { Preset } from "../config/presets.ts";

/** Features of OpenAI's chat completions; the default for unknown hosts. */
const OPENAI: ChatFeatures = {
  thinking: "reasoning_effort",
  efforts: ["low", "medium", "high"],
  forcedWhileThinking: true,
  toolChoices: ["auto", "none", "forced"],
  reasoningDetails: false,
  callsInText: false,
  thoughtSignatures: false,
  cacheControl: false,
  topK: false,
  callIds: undefined,
  needsSignedCalls: false,
  reasoningContent: "none",
  sessionId: false,
  maxTokensField: "max_tokens",
  streamOptions: true,
  files: [],
  parallelToolCalls: true,
  format: "json_schema",
  strictSchemas: "subset",
};

/** Features of local model servers: `top_k`, and tool calls in the text. */
const LOCAL_HOST: ChatFeatures = {
  ...OPENAI,
  topK: true,
  callsInText: true,
  // They compile the whole schema to a grammar. Source: https://docs.vllm.ai/en/latest/features/structured_outputs
  strictSchemas: "any",
};

/** Chat-completions features of each preset; only observed or documented differences are listed. */
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
  openai: {
    ...OPENAI,
    callIds: OPENAI_CALL_ID,
    maxTokensField: "max_completion_tokens",
    files: ["base64"],
  },
  azure: {
    ...OPENAI,
    callIds: OPENAI_CALL_ID,
    maxTokensField: "max_completion_tokens",
  },
  gemini: { ...OPENAI, thoughtSignatures: true, strictSchemas: "any" },
  groq: { ...OPENAI, maxTokensField: "max_completion_tokens" },
  // Thinks by default, and documents its efforts. Source: https://api-docs.deepseek.com/guides/thinking_mode
  deepseek: {
    ...OPENAI,
    thinking: "switch",
    efforts: ["minimal", "low", "medium", "high", "xhigh", "max"],
    forcedWhileThinking: false,
    reasoningContent: "always",
    format: "json_object",
  },
  mistral: { ...OPENAI, thinking: "none", callIds: MISTRAL_CALL_ID, streamOptions: false },
  xai: OPENAI,
  // Some of its models reject disabled thinking; all reject a forced tool call.
  // Source: https://docs.z.ai/api-reference/llm/chat-completion
  zai: { ...OPENAI, thinking: "none", toolChoices: ["auto"], format: "json_object" },
  moonshot: {
    ...OPENAI,
    thinking: "none",
    toolChoices: ["auto", "none"],
    reasoningContent: "always",
    format: "json_object",
  },
  // Its chat completions ignore `top_k` without an error. Source: https://docs.ollama.com/openai
  ollama: { ...LOCAL_HOST, topK: false },
  vllm: LOCAL_HOST,
  llamacpp: { ...LOCAL_HOST, parallelToolCalls: false },
  lmstudio: LOCAL_HOST,
};

/** Features of OpenAI itself. */
const OPENAI_RESPONSES: ResponsesFeatures = {
  ...DEFAULT_FEATURES,
  files: ["base64", "url"],
  partsInResults: true,
  plainToolSchemas: true,
  cacheBreakpoints: true,
  sessionField: "prompt_cache_key",
  serviceTier: true,
  padsEvents: true,
};

/** Features of local model servers. They convert requests to chat completions, and ignore what those lack. */
const LOCAL_RESPONSES: ResponsesFeatures = {
  ...DEFAULT_FEATURES,
  encryptsReasoning: false,
  strictSubset: false,
  systemAnywhere: false,
};

/**
 * Responses features of the presets that differ from the default; only observed or documented differences are listed.
 */
const RESPONSES_HOSTS: Partial<Record<Preset, ResponsesFeatures>> = {
  openai: OPENAI_RESPONSES,
  // Azure has neither the marks of the cache nor a documented switch of the padding.
  azure: { ...OPENAI_RESPONSES, cacheBreakpoints: false, padsEvents: false },
  openrouter: {
    ...DEFAULT_FEATURES,
    thinkingBudget: true,
    files: ["base64", "url"],
    partsInResults: true,
    cacheBreakpoints: true,
    sessionField: "session_id",
    topK: true,
  },
  // Source: https://github.com/rikkahub/rikkahub/issues/1690
  deepseek: { ...DEFAULT_FEATURES, reasoningBeforeEachCall: true },
  // Source: https://github.com/ollama/ollama, openai/responses.go
  ollama: { ...LOCAL_RESPONSES, toolChoice: false },
  // Source: https://github.com/vllm-project/vllm, entrypoints/openai/responses/protocol.py
  vllm: { ...LOCAL_RESPONSES, topK: true },
  llamacpp: LOCAL_RESPONSES,
  lmstudio: LOCAL_RESPONSES,
};

/** Returns the Responses features of a preset. */
export function responsesFeatures(preset: Preset): ResponsesFeatures {
  return RESPONSES_HOSTS[preset] ?? DEFAULT_FEATURES;
}
