import { createAnthropicDialect } from "./anthropic/request.ts";
import type { Dialect } from "./dialect.ts";
import { createChatDialect } from "./openai/mod.ts";
import { type Preset, PRESETS } from "./presets.ts";

export type { Preset };

/** Whose habits an upstream has. */
export type HostName = Preset | "anthropic";

/** Which language an upstream is spoken to in; `auto` is what suits its host, and the model. */
export type Language = "auto" | "openai" | "anthropic";

/** How a host is reached, apart from what it is told. */
interface Host {
  /** The header that carries the key. */
  key: "authorization" | "api-key" | "x-api-key";
  /** What its list of models is worth: all that it has, some of that, or nothing. */
  list: "all" | "some" | "none";
  /** Whether it counts the tokens of a request in Anthropic's language. */
  counts: boolean;
}

const USUAL: Host = { key: "authorization", list: "some", counts: false };
const OTHERS: Partial<Record<HostName, Host>> = {
  // Elsewhere names are taken that are in no list: Ollama's without a tag, Anthropic's without a date.
  openrouter: { ...USUAL, list: "all" },
  // Azure lists what could be deployed, not what is; requests name a deployment.
  azure: { ...USUAL, key: "api-key", list: "none" },
  anthropic: { ...USUAL, key: "x-api-key", counts: true },
  // Source: https://github.com/vllm-project/vllm/pull/35588, https://github.com/ggml-org/llama.cpp/pull/17570
  vllm: { ...USUAL, counts: true },
  llamacpp: { ...USUAL, counts: true },
};

/** The names of all hosts whose habits are known. */
export const HOST_NAMES: readonly HostName[] = [...presetNames(), "anthropic"];

/** Gives how a host is reached. */
export function toHost(name: HostName): Host {
  return OTHERS[name] ?? USUAL;
}

/** The header that carries the key of a host spoken to in this language. */
export function toKeyHeader(name: HostName, language: Language): Host["key"] {
  const compatible = language === "anthropic" && name !== "openrouter";
  return compatible ? "x-api-key" : toHost(name).key;
}

/** Gives the dialect in which a host is asked for a model. */
export function toDialect(name: HostName, language: Language, model: string): Dialect {
  const native = language === "anthropic" || (language === "auto" && isNative(name, model));
  if (name === "anthropic") return native ? anthropic : CHAT.other;
  if (!native) return CHAT[name];
  return name === "openrouter" ? openrouterMessages : compatible;
}

/** Whether Anthropic's own language is the best for a model; OpenRouter promises it for Anthropic's models alone. */
function isNative(name: HostName, model: string): boolean {
  return name === "anthropic" || (name === "openrouter" && /^~?anthropic\//.test(model));
}

const anthropic = createAnthropicDialect({ own: true, routing: false });
const compatible = createAnthropicDialect({ own: false, routing: false });
const openrouterMessages = createAnthropicDialect({ own: false, routing: true });

// The parse boundary of the table: its keys are the presets, which the type of `Object.fromEntries` forgets.
const CHAT = Object.fromEntries(
  presetNames().map((name) => [name, createChatDialect(PRESETS[name])]),
) as Record<
  Preset,
  Dialect
>;

function presetNames(): Preset[] {
  return Object.keys(PRESETS).filter((name): name is Preset => Object.hasOwn(PRESETS, name));
}
