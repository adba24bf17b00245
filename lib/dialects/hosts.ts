import { type DialectChoice, type HostName, type Preset, PRESETS } from "../config/presets.ts";
import { createAnthropicDialect } from "./anthropic/request.ts";
import type { Dialect, ListPrice } from "./dialect.ts";
import { createChatDialect } from "./openai/mod.ts";
import { CHAT_FEATURES } from "./presets.ts";

/** A kind of upstream: those that settings can name, and the embedded demo. */
export type UpstreamKind = HostName | "demo";

/** What is known of a kind of upstream, apart from the requests that it accepts. */
export interface HostFacts {
  /** The chat-completions features that it has. */
  chat: Preset;
  /** The header that carries the API key. */
  keyHeader: "authorization" | "api-key" | "x-api-key";
  /** What its model list holds: every model that it serves, some of them, or nothing of use. */
  list: "all" | "some" | "none";
  /** True if it counts the tokens of a request in Anthropic's format. */
  countsTokens: boolean;
  /** How it writes the names of Claude models: `anthropic/claude-opus-5.5`, `claude-opus-5-5`, or as given. */
  modelNames: "openrouter" | "anthropic" | "as given";
  /** True if it has a web search of its own for any model (`openrouter:web_search`). */
  searchesWeb: boolean;
  /** Anthropic's server tools that it runs itself when called with Anthropic's API. */
  serverTools: "all" | "web search" | "none";
  /** True if it keeps conversations (`thread`) when called with Anthropic's API. */
  keepsThreads: boolean;
  /** True if a request can exclude one of the providers behind it. */
  excludesProviders: boolean;
  /** What a token costs there, whatever the model; if unset, prices are per model. */
  price?: ListPrice;
}

const DEFAULT: HostFacts = {
  chat: "other",
  keyHeader: "authorization",
  list: "some",
  countsTokens: false,
  modelNames: "as given",
  searchesWeb: false,
  serverTools: "none",
  keepsThreads: false,
  excludesProviders: false,
};

const HOSTS: Partial<Record<UpstreamKind, Partial<HostFacts>>> = {
  // Other hosts accept names that they do not list: Ollama's without a tag, Anthropic's without a date.
  openrouter: {
    list: "all",
    modelNames: "openrouter",
    searchesWeb: true,
    // Its Messages endpoint runs Anthropic's web search, and no other of Anthropic's server tools.
    serverTools: "web search",
    excludesProviders: true,
  },
  // Azure lists the models that could be deployed; requests name a deployment.
  azure: { keyHeader: "api-key", list: "none" },
  anthropic: {
    chat: "other",
    keyHeader: "x-api-key",
    countsTokens: true,
    modelNames: "anthropic",
    serverTools: "all",
    keepsThreads: true,
  },
  // Source: https://github.com/vllm-project/vllm/pull/35588, https://github.com/ggml-org/llama.cpp/pull/17570
  vllm: { countsTokens: true },
  llamacpp: { countsTokens: true },
  demo: { chat: "openrouter", list: "none", price: { input: 0, output: 0 } },
};

const FACTS = new Map<UpstreamKind, HostFacts>([
  ...PRESETS.map((name) => [name, { ...DEFAULT, chat: name, ...HOSTS[name] }] as const),
  ["anthropic", { ...DEFAULT, ...HOSTS.anthropic }],
  ["demo", { ...DEFAULT, ...HOSTS.demo }],
]);

/** Returns what is known of a kind of upstream. */
export function hostFacts(kind: UpstreamKind): HostFacts {
  return FACTS.get(kind) ?? DEFAULT;
}

/** True if the upstream itself runs one of Anthropic's server tools when it is called in this dialect. */
export function runsServerTool(kind: UpstreamKind, dialect: Dialect, toolType: string): boolean {
  if (dialect.name !== "anthropic") return false;
  switch (hostFacts(kind).serverTools) {
    case "all":
      return true;
    case "web search":
      return /^web_search_/.test(toolType);
    case "none":
      return false;
  }
}

/** Returns the header that carries the key of a host called with this API. */
export function keyHeader(kind: UpstreamKind, language: DialectChoice): HostFacts["keyHeader"] {
  const compatible = language === "anthropic" && kind !== "openrouter";
  return compatible ? "x-api-key" : hostFacts(kind).keyHeader;
}

/** Returns the dialect that calls a host for a model. */
export function dialectFor(kind: UpstreamKind, language: DialectChoice, model: string): Dialect {
  const native = language === "anthropic" || (language === "auto" && isNative(kind, model));
  if (!native) return CHAT[hostFacts(kind).chat];
  if (kind === "anthropic") return anthropic;
  return kind === "openrouter" ? openrouterMessages : compatible;
}

/** True if Anthropic's API serves the model best; OpenRouter documents it for Anthropic's models alone. */
function isNative(kind: UpstreamKind, model: string): boolean {
  return kind === "anthropic" || (kind === "openrouter" && /^~?anthropic\//.test(model));
}

const anthropic = createAnthropicDialect({ isAnthropic: true, routing: false });
const compatible = createAnthropicDialect({ isAnthropic: false, routing: false });
const openrouterMessages = createAnthropicDialect({ isAnthropic: false, routing: true });

// The keys are the presets; `Object.fromEntries` loses that in its type.
const CHAT = Object.fromEntries(
  PRESETS.map((name) => [name, createChatDialect(CHAT_FEATURES[name])]),
) as Record<Preset, Dialect>;
