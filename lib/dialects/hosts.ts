import { once } from "../base/once.ts";
import { type DialectChoice, type HostName, type Preset, PRESETS } from "../config/presets.ts";
import { type AnthropicFeatures, sendsSafeguards } from "./anthropic/features.ts";
import type { DialectInfo, ListPrice } from "./dialect.ts";

/** Kind of an upstream: one that settings can name, or the embedded demo. */
export type UpstreamKind = HostName | "demo";

/** Facts of a kind of upstream. */
export interface HostFacts {
  /** Preset of its chat-completions features. */
  chat: Preset;
  /** Header of the API key. */
  keyHeader: "authorization" | "api-key" | "x-api-key";
  /** Path that answers 401 if the key is not valid. Some hosts list their models to anyone. */
  keyCheck: string;
  /** Models in its model list: all that it serves, some of them, or none that requests can name. */
  list: "all" | "some" | "none";
  /** APIs in which it counts the tokens of a request. */
  countsTokens: readonly DialectInfo["name"][];
  /** Form of the names of Claude models: `anthropic/claude-opus-5.5`, `claude-opus-5-5`, or unchanged. */
  modelNames: "openrouter" | "anthropic" | "as given";
  /** True if it can search the web for any model (`openrouter:web_search`). */
  searchesWeb: boolean;
  /** Price in USD of one such search with at most 10 results, for models whose provider has no search. */
  searchPrice?: number;
  /** Server tools that it runs itself when called with Anthropic's API. */
  serverTools: "all" | "web search" | "none";
  /** True if it knows changes of tools and `clear_at` in system messages, when called with Anthropic's API. */
  systemChanges: boolean;
  /** True if it keeps conversations (`thread`) when called with Anthropic's API. */
  keepsThreads: boolean;
  /** True if it answers `compaction` when called with Anthropic's API. */
  compacts: boolean;
  /** True if a request can exclude one of the providers behind it. */
  excludesProviders: boolean;
  /** Price of all its models; if unset, each model has its own. */
  price?: ListPrice;
}

const DEFAULT: HostFacts = {
  chat: "other",
  keyHeader: "authorization",
  keyCheck: "/models",
  list: "some",
  countsTokens: [],
  modelNames: "as given",
  searchesWeb: false,
  serverTools: "none",
  systemChanges: false,
  keepsThreads: false,
  compacts: false,
  excludesProviders: false,
};

const HOSTS: Partial<Record<UpstreamKind, Partial<HostFacts>>> = {
  // Hosts with the default "some" also accept unlisted names: Ollama without a tag, Anthropic without a date.
  openrouter: {
    // Source: https://openrouter.ai/docs/api-reference/api-keys/get-current-key
    keyCheck: "/key",
    list: "all",
    modelNames: "openrouter",
    searchesWeb: true,
    // The engine is Exa. Source: https://openrouter.ai/docs/guides/features/server-tools/web-search (August 2026)
    searchPrice: 0.007,
    // Of Anthropic's server tools, its Messages endpoint runs only the web search.
    serverTools: "web search",
    systemChanges: true,
    excludesProviders: true,
  },
  openai: { countsTokens: ["responses"] },
  // Azure lists the models that can be deployed, but requests name a deployment.
  azure: { keyHeader: "api-key", list: "none" },
  anthropic: {
    chat: "other",
    keyHeader: "x-api-key",
    countsTokens: ["anthropic"],
    modelNames: "anthropic",
    serverTools: "all",
    systemChanges: true,
    keepsThreads: true,
    compacts: true,
  },
  // Source: https://github.com/vllm-project/vllm/pull/35588, https://github.com/ggml-org/llama.cpp/pull/17570
  vllm: { countsTokens: ["anthropic"] },
  llamacpp: { countsTokens: ["anthropic"] },
  demo: { chat: "openrouter", list: "none", price: { input: 0, output: 0 } },
};

const FACTS = new Map<UpstreamKind, HostFacts>([
  ...PRESETS.map((name) => [name, { ...DEFAULT, chat: name, ...HOSTS[name] }] as const),
  ["anthropic", { ...DEFAULT, ...HOSTS.anthropic }],
  ["demo", { ...DEFAULT, ...HOSTS.demo }],
]);

/** Returns the facts of a kind of upstream. */
export function hostFacts(kind: UpstreamKind): HostFacts {
  return FACTS.get(kind) ?? DEFAULT;
}

/** True if the host counts the tokens of a request in this dialect. */
export function countsTokens(kind: UpstreamKind, { name }: DialectInfo): boolean {
  return hostFacts(kind).countsTokens.includes(name);
}

/** True if the upstream runs this type of Anthropic's server tools when called in this dialect. */
export function runsServerTool(kind: UpstreamKind, dialect: DialectInfo, toolType: string): boolean {
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

/** True if the upstream itself applies changes of tools and `clear_at` in system messages, called in this dialect. */
export function appliesSystemChanges(kind: UpstreamKind, dialect: DialectInfo): boolean {
  return dialect.name === "anthropic" && hostFacts(kind).systemChanges;
}

/** Returns the header of the API key for a host called with this API. */
export function keyHeader(kind: UpstreamKind, choice: DialectChoice): HostFacts["keyHeader"] {
  const compatible = choice === "anthropic" && kind !== "openrouter";
  return compatible ? "x-api-key" : hostFacts(kind).keyHeader;
}

/** Returns the dialect for calls to a model of a host. */
export function dialectFor(kind: UpstreamKind, choice: DialectChoice, model: string): DialectInfo {
  const { chat } = hostFacts(kind);
  switch (choice === "auto" ? preferredDialect(kind, model) : choice) {
    case "openai":
      return CHAT[chat];
    case "responses":
      return RESPONSES[chat];
    case "anthropic":
      if (kind === "anthropic") return anthropic;
      return kind === "openrouter" ? openrouterMessages : compatible;
  }
}

/** Returns the dialect that `auto` selects. OpenRouter documents Anthropic's API for Anthropic's models only. */
function preferredDialect(kind: UpstreamKind, model: string): DialectInfo["name"] {
  if (kind === "anthropic" || (kind === "openrouter" && /^~?anthropic\//.test(model))) return "anthropic";
  return kind === "openai" && !CHAT_ONLY_MODELS.test(model) ? "responses" : "openai";
}

/** OpenAI's models that only chat completions have. Source: https://platform.openai.com/docs/models */
const CHAT_ONLY_MODELS = /^gpt-\S*-(search|audio)-preview|^gpt-5-search-api|^gpt-audio/;

const anthropic = describeAnthropic({ isAnthropic: true, routing: false, safeguards: "all" });
const compatible = describeAnthropic({ isAnthropic: false, routing: false, safeguards: "none" });
// The types of OpenRouter's Messages endpoint have `safeguards`. Source: npm @openrouter/sdk
const openrouterMessages = describeAnthropic({ isAnthropic: false, routing: true, safeguards: "Claude" });

function describeAnthropic(features: AnthropicFeatures): DialectInfo {
  return {
    name: "anthropic",
    path: "/messages",
    countPath: "/messages/count_tokens",
    sendsSafeguards: (model) => sendsSafeguards(model, features),
    load: once(async () => (await import("./anthropic/request.ts")).createAnthropicDialect(features)),
  };
}

const CHAT = byPreset((name) => ({
  name: "openai",
  path: "/chat/completions",
  load: once(async () => {
    const [{ createChatDialect }, { CHAT_FEATURES }] = await Promise.all([
      import("./openai/mod.ts"),
      import("./presets.ts"),
    ]);
    return createChatDialect(CHAT_FEATURES[name]);
  }),
}));

const RESPONSES = byPreset((name) => ({
  name: "responses",
  path: "/responses",
  countPath: "/responses/input_tokens",
  load: once(async () => {
    const [{ createResponsesDialect }, { responsesFeatures }] = await Promise.all([
      import("./responses/mod.ts"),
      import("./presets.ts"),
    ]);
    return createResponsesDialect(responsesFeatures(name));
  }),
}));

function byPreset(describe: (name: Preset) => DialectInfo): Record<Preset, DialectInfo> {
  // The keys are the presets; the return type of `Object.fromEntries` does not keep them.
  return Object.fromEntries(PRESETS.map((name) => [name, describe(name)])) as Record<Preset, DialectInfo>;
}
