import * as v from "valibot";
import { toCapabilities } from "./model_capabilities.ts";
import type { ModelFacts } from "../dialects/mod.ts";
import { isObject, type JsonObject } from "../base/json.ts";

/** Treats a field of an unexpected type as missing, so that the model stays in the list. */
function maybe<Schema extends v.GenericSchema>(schema: Schema) {
  return v.fallback(v.nullish(schema), undefined);
}

const Strings = maybe(v.array(v.string()));
const Text = maybe(v.string());
const Count = maybe(v.pipe(v.number(), v.minValue(1)));
const Price = maybe(v.union([v.string(), v.number()]));

const ListedModel = v.looseObject({
  id: v.string(),
  canonical_slug: Text,
  name: Text,
  description: Text,
  created: maybe(v.number()),
  /** Fields of Anthropic's list. */
  display_name: Text,
  created_at: Text,
  lifecycle: maybe(v.picklist(["active", "deprecated", "retired"])),
  deprecated_at: Text,
  retires_at: Text,
  line: Text,
  capabilities: maybe(v.custom<JsonObject>(isObject)),
  /** Date after which OpenRouter may remove the model. */
  expiration_date: Text,
  /** Context window; the next four are the names of vLLM, Groq, Mistral and Anthropic. */
  context_length: Count,
  max_model_len: Count,
  context_window: Count,
  max_context_length: Count,
  max_input_tokens: Count,
  /** Maximum output tokens; the next two are the names of Groq and Anthropic. */
  top_provider: maybe(v.looseObject({ max_completion_tokens: Count })),
  max_completion_tokens: Count,
  max_tokens: Count,
  supported_parameters: Strings,
  architecture: maybe(v.looseObject({ input_modalities: Strings })),
  pricing: maybe(v.looseObject({
    prompt: Price,
    completion: Price,
    input_cache_read: Price,
    input_cache_write: Price,
    web_search: Price,
    overrides: maybe(v.array(v.looseObject({ min_prompt_tokens: Count, prompt: Price }))),
  })),
  reasoning: maybe(v.looseObject({
    supported_efforts: Strings,
    mandatory: maybe(v.boolean()),
    supports_max_tokens: maybe(v.boolean()),
  })),
});
const ListedModels = v.looseObject({ data: v.array(v.unknown()) });

/** A model in an upstream's list. Source: https://openrouter.ai/docs/api-reference/list-available-models */
export type ListedModel = v.InferOutput<typeof ListedModel>;

/** Parses an upstream's model list, without entries that have no id. Returns `undefined` if it is not a list. */
export function parseModelList(body: unknown): ListedModel[] | undefined {
  if (!v.is(ListedModels, body)) return undefined;
  return body.data.flatMap((entry): ListedModel[] => {
    const { success, output } = v.safeParse(ListedModel, entry);
    return success ? [output] : [];
  });
}

/**
 * Finds a model in a list by any of its names.
 *
 * For an unlisted variant (`…:free`) it returns the base model. Gemini lists models with the prefix `models/`, Ollama
 * with the suffix `:latest`.
 */
export function findModel(models: readonly ListedModel[], name: string): ListedModel | undefined {
  if (models.length === 0) return undefined;
  const index = indexes.get(models) ?? createIndex(models);
  return index.get(name) ?? index.get(name.replace(/:[\w-]+$/, "")) ?? index.get(`models/${name}`) ??
    index.get(`${name}:latest`);
}

/** The models of lists by their names. Lists and their models do not change. */
const indexes = new WeakMap<readonly ListedModel[], ReadonlyMap<string, ListedModel>>();

function createIndex(models: readonly ListedModel[]): ReadonlyMap<string, ListedModel> {
  const index = new Map<string, ListedModel>();
  for (const model of models) {
    for (const name of [model.id, model.canonical_slug]) {
      if (typeof name === "string" && !index.has(name)) index.set(name, model);
    }
  }
  indexes.set(models, index);
  return index;
}

/** Converts a listed model to facts; unlisted facts are undefined. */
export function toFacts(model: ListedModel | undefined): ModelFacts {
  if (model === undefined) return NO_FACTS;
  const known = factsOf.get(model) ?? readFacts(model);
  factsOf.set(model, known);
  return known;
}

const NO_FACTS: ModelFacts = {};
const factsOf = new WeakMap<ListedModel, ModelFacts>();

function readFacts(model: ListedModel): ModelFacts {
  const { supported_parameters: parameters, architecture, reasoning, pricing } = model;
  const inputs = architecture?.input_modalities;
  return {
    contextLength: contextWindowOf(model),
    maxOutput: maxOutputOf(model),
    parameters: parameters?.length ? new Set(parameters) : undefined,
    inputs: inputs?.length ? new Set(inputs) : undefined,
    reasoning: reasoning
      ? {
        efforts: reasoning.supported_efforts ?? undefined,
        mandatory: reasoning.mandatory === true,
        budget: reasoning.supports_max_tokens !== false,
      }
      : undefined,
    price: {
      input: parsePrice(pricing?.prompt),
      output: parsePrice(pricing?.completion),
      cacheRead: parsePrice(pricing?.input_cache_read),
      cacheWrite: parsePrice(pricing?.input_cache_write),
      // A price of 0 means that the provider has no search of its own.
      webSearch: parsePrice(pricing?.web_search) || undefined,
      inputTiers: (pricing?.overrides ?? []).flatMap(({ min_prompt_tokens: above, prompt }) => {
        const input = parsePrice(prompt);
        return above && input !== undefined ? [{ above, input }] : [];
      }),
    },
  };
}

function contextWindowOf(model: ListedModel): number | undefined {
  const { context_length, max_model_len, context_window, max_context_length, max_input_tokens } = model;
  return context_length ?? max_model_len ?? context_window ?? max_context_length ?? max_input_tokens ??
    undefined;
}

function maxOutputOf({ top_provider, max_completion_tokens, max_tokens }: ListedModel): number | undefined {
  return top_provider?.max_completion_tokens ?? max_completion_tokens ?? max_tokens ?? undefined;
}

/** Parses USD per token. Routers list -1 for a variable price, which becomes undefined. */
function parsePrice(price: string | number | null | undefined): number | undefined {
  if (price === null || price === undefined || price === "") return undefined;
  const usd = Number(price);
  return usd >= 0 && usd < Infinity ? usd : undefined;
}

/** Converts a model to an entry of Anthropic's list. Source: https://platform.claude.com/docs/en/api/models-list */
export function toAnthropicModel(model: ListedModel): JsonObject {
  const { id, name, display_name, description, deprecated_at, retires_at, expiration_date } = model;
  return {
    type: "model",
    id,
    display_name: name ?? display_name ?? id,
    created_at: toTime(model.created_at) ?? toCreatedAt(model),
    ...(description && { description }),
    max_input_tokens: contextWindowOf(model) ?? null,
    max_tokens: maxOutputOf(model) ?? null,
    lifecycle: lifecycleOf(model),
    deprecated_at: toTime(deprecated_at) ?? null,
    // OpenRouter lists the date after which it may remove the model.
    retires_at: toTime(retires_at) ?? toTime(expiration_date) ?? null,
    line: model.line ?? null,
    capabilities: toCapabilities(model),
  };
}

/** Converts a model to an entry of OpenAI's list. Source: https://platform.openai.com/docs/api-reference/models/list */
export function toOpenAiModel({ id, created, created_at }: ListedModel): JsonObject {
  const time = toTime(created_at);
  const seconds = created ?? (time === undefined ? 0 : Math.floor(Date.parse(time) / 1000));
  return { id, object: "model", created: seconds, owned_by: id.split("/")[0] };
}

/**
 * Returns one page of Anthropic's list, selected by `limit`, `after_id`, `before_id` and `lifecycle[]`. Without
 * `lifecycle[]`, models that are retired are left out.
 */
export function toAnthropicPage(listed: readonly ListedModel[], query: URLSearchParams): JsonObject {
  const lifecycles = [...query.getAll("lifecycle[]"), ...query.getAll("lifecycle")];
  const shown = new Set(lifecycles.length > 0 ? lifecycles : ["active", "deprecated"]);
  const models = listed.filter((model) => shown.has(lifecycleOf(model)));
  const limit = Math.min(Math.max(Number.parseInt(query.get("limit") ?? "20", 10) || 20, 1), 1000);
  const after = models.findIndex(({ id }) => id === query.get("after_id"));
  const before = models.findIndex(({ id }) => id === query.get("before_id"));
  const end = before < 0 ? models.length : before;
  const start = before < 0 ? after + 1 : Math.max(0, end - limit);
  const page = models.slice(start, Math.min(start + limit, end));
  return {
    data: page.map(toAnthropicModel),
    has_more: before < 0 ? start + page.length < models.length : start > 0,
    first_id: page[0]?.id ?? null,
    last_id: page.at(-1)?.id ?? null,
  };
}

/** Returns a model with its capabilities, which depend on its id, so that it can be listed under another. */
export function withCapabilities(model: ListedModel): ListedModel {
  return { ...model, capabilities: toCapabilities(model) };
}

function lifecycleOf({ lifecycle, expiration_date }: ListedModel): string {
  return lifecycle ?? (toTime(expiration_date) === undefined ? "active" : "deprecated");
}

/** Returns a date or time of a list as a time of RFC 3339. */
function toTime(value: string | null | undefined): string | undefined {
  if (!value || !/^\d{4}-\d\d-\d\d/.test(value) || Number.isNaN(Date.parse(value))) return undefined;
  return /T.*(Z|[+-]\d\d:\d\d)$/.test(value) ? value : new Date(value).toISOString().replace(".000Z", "Z");
}

function toCreatedAt({ created }: ListedModel): string {
  // Some hosts list milliseconds or no time. 8.64e12 s is the largest `Date`.
  const seconds = created && Math.abs(created) < 8.64e12 ? created : 0;
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
