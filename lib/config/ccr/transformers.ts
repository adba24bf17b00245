import { isObject, type JsonObject } from "../../base/json.ts";
import { quote } from "../../base/redact.ts";
import type { DialectChoice } from "../presets.ts";
import type { CcrProvider } from "./parse_ccr.ts";

/** What the transformers of a provider, or of one of its models, mean for the gateway. */
export interface Transformed {
  dialect?: DialectChoice;
  /** Fields of requests, for an alias. */
  options: JsonObject;
  cacheControl: boolean;
  /** True if the provider authenticates in a way that the gateway has not. */
  unusable: boolean;
  /** One line for each part that is not carried over. */
  notes: string[];
}

/** Transformers whose work the gateway does for every upstream, or that its presets replace. */
const NEEDLESS = new Set([
  "openai",
  "openrouter",
  "deepseek",
  "gemini",
  "groq",
  "cerebras",
  "vercel",
  "tooluse",
  "enhancetool",
  "reasoning",
  "sampling",
  "streamoptions",
  "maxcompletiontokens",
]);

const DIALECTS: ReadonlyMap<string, DialectChoice> = new Map([
  ["anthropic", "anthropic"],
  ["openai-response", "responses"],
  ["openai-responses", "responses"],
]);

/** Reads the transformers of a provider and, if given, of one of its models. */
export function readTransformers({ name, transformer }: CcrProvider, model?: string): Transformed {
  const result: Transformed = { options: {}, cacheControl: true, unusable: false, notes: [] };
  const uses = model === undefined
    ? transformer.use
    : memberUse(Object.hasOwn(transformer, model) ? transformer[model] : undefined);
  const where = model === undefined ? `of provider ${quote(name)}` : `of ${quote(`${name},${model}`)}`;
  for (const [word, options] of toList(uses)) {
    const drop = (why: string) => result.notes.push(`transformer ${quote(word)} ${where}: ${why}`);
    const kind = word.toLowerCase();
    const dialect = DIALECTS.get(kind);
    if (dialect !== undefined) result.dialect = dialect;
    else if (kind === "cleancache") result.cacheControl = false;
    else if (kind === "customparams") Object.assign(result.options, options);
    else if (kind === "openrouter") readRouting(options, result, drop);
    else if (kind === "maxtoken") {
      drop(
        `the gateway limits max_tokens only by what the upstream's model list says (${maxTokens(options)})`,
      );
    } else if (kind.startsWith("vertex-")) {
      result.unusable = true;
      drop("the gateway has no sign-in for Google Vertex");
    } else if (!NEEDLESS.has(kind)) drop("the gateway has none of this name; a hook can change requests");
    else if (Object.keys(options).length > 0) drop(`its options (${Object.keys(options).join(", ")})`);
  }
  return result;
}

/** Reads options of the transformer `openrouter`: the routing among hosts, and the headers of the program. */
function readRouting(options: JsonObject, result: Transformed, drop: (why: string) => void): void {
  const { provider, providerOrder, ...others } = options;
  const order = Array.isArray(providerOrder) && providerOrder.length > 0 ? { order: providerOrder } : {};
  const routing = { ...order, ...(isObject(provider) ? provider : {}) };
  if (Object.keys(routing).length > 0) result.options.provider = routing;
  if (Object.keys(others).length > 0) drop(`its options (${Object.keys(others).join(", ")})`);
}

function maxTokens({ max_tokens: limit }: JsonObject): string {
  return typeof limit === "number" ? `max_tokens ${limit}` : "max_tokens";
}

function memberUse(member: unknown): unknown {
  return isObject(member) ? member.use : undefined;
}

/** Returns transformers with their options, from a list of names and of pairs. */
function toList(uses: unknown): [name: string, options: JsonObject][] {
  if (!Array.isArray(uses)) return [];
  return uses.flatMap((use: unknown): [string, JsonObject][] => {
    const [name, options]: unknown[] = Array.isArray(use) ? use : [use];
    return typeof name === "string" ? [[name, isObject(options) ? options : {}]] : [];
  });
}
