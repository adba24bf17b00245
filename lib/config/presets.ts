/** Names of the supported kinds of chat-completions upstreams; `other` is the default. */
export const PRESETS = [
  "other",
  "openrouter",
  "openai",
  "azure",
  "gemini",
  "groq",
  "deepseek",
  "mistral",
  "xai",
  "zai",
  "moonshot",
  "ollama",
  "vllm",
  "llamacpp",
  "lmstudio",
] as const;

/** Name of a kind of chat-completions upstream. */
export type Preset = (typeof PRESETS)[number];

/** Names that the `preset` of an upstream may have: the chat presets, and Anthropic's own API. */
export const HOST_NAMES: readonly HostName[] = [...PRESETS, "anthropic"];

/** Name of a kind of upstream. */
export type HostName = Preset | "anthropic";

/** API that an upstream is called with; `auto` chooses by host and model. */
export type DialectChoice = "auto" | "openai" | "responses" | "anthropic";

/** Names of the APIs that settings can choose. */
export const DIALECT_CHOICES: readonly DialectChoice[] = ["auto", "openai", "responses", "anthropic"];
