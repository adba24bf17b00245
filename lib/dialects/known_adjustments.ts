import type { HostName } from "../config/presets.ts";
import { type Adjustment, isSameAdjustment } from "./adjustments/adjustment.ts";
import type { DialectInfo } from "./dialect.ts";

/** A limit of a host or of a family of models that is known beforehand. */
interface KnownLimit {
  /** Hosts with the limit; all, if unset. */
  hosts?: readonly HostName[];
  /** Dialect with the limit; all, if unset. */
  dialect?: DialectInfo["name"];
  /** Names of the models with the limit; all, if unset. */
  model?: RegExp;
  adjustments: readonly Adjustment[];
  /** A documentation or a report of the limit. */
  source: string;
}

/** The limits that need no refusal to be known. Everything else is learned from refusals. */
const KNOWN_LIMITS: readonly KnownLimit[] = [
  {
    // The chat templates of many local models accept a system message at the beginning only.
    hosts: ["ollama", "vllm", "llamacpp", "lmstudio"],
    adjustments: [{ change: "system_as_user" }],
    source: "https://github.com/ggml-org/llama.cpp/issues/27367",
  },
  {
    hosts: ["deepseek"],
    adjustments: [{ change: "blocks_as_text", type: "image" }],
    source: "https://github.com/farion1231/cc-switch/issues/3663",
  },
  {
    hosts: ["deepseek"],
    dialect: "anthropic",
    adjustments: [
      { change: "blocks_as_text", type: "document" },
      { change: "blocks_as_text", type: "search_result" },
    ],
    source: "https://api-docs.deepseek.com/guides/anthropic_api",
  },
  {
    hosts: ["openai", "azure"],
    dialect: "openai",
    model: /(^|\/)gpt-5\.(?:[6-9]|\d\d)/,
    adjustments: [{ change: "efforts", efforts: ["none"], besideTools: true }],
    source: "https://github.com/danny-avila/LibreChat/issues/14231",
  },
  {
    dialect: "openai",
    hosts: ["gemini"],
    adjustments: [{ change: "simple_schemas" }],
    source: "https://github.com/taylorwilsdon/google_workspace_mcp/issues/1099",
  },
  {
    dialect: "openai",
    hosts: ["mistral"],
    adjustments: [{ change: "alternate_roles" }],
    source: "https://docs.mistral.ai/capabilities/function_calling",
  },
  {
    dialect: "openai",
    model: /(^|\/)(open-)?(mistral|ministral|mixtral|magistral|codestral|devstral|pixtral)/i,
    adjustments: [{ change: "alternate_roles" }],
    source: "https://github.com/NousResearch/hermes-agent/issues/20154",
  },
];

/** Returns the adjustments for the known limits of a model of a host, each once. */
export function knownAdjustments(
  { host, dialect, model }: { host: string; dialect: DialectInfo["name"]; model: string },
): Adjustment[] {
  const matching = KNOWN_LIMITS.filter((limit) =>
    (limit.hosts?.some((name) => name === host) ?? true) && (limit.dialect ?? dialect) === dialect &&
    (limit.model?.test(model) ?? true)
  );
  const all = matching.flatMap(({ adjustments }) => adjustments);
  return all.filter((one, at) => all.findIndex((other) => isSameAdjustment(one, other)) === at);
}
