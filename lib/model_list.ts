import * as v from "valibot";
import type { ModelFacts } from "./dialects/mod.ts";
import type { JsonObject } from "./json.ts";

const Words = v.nullish(v.array(v.string()));
const ListedModel = v.looseObject({
  id: v.string(),
  canonical_slug: v.nullish(v.string()),
  name: v.nullish(v.string()),
  created: v.nullish(v.number()),
  context_length: v.nullish(v.number()),
  top_provider: v.nullish(v.looseObject({ max_completion_tokens: v.nullish(v.number()) })),
  supported_parameters: Words,
  architecture: v.nullish(v.looseObject({ input_modalities: Words })),
  pricing: v.nullish(v.looseObject({ prompt: v.nullish(v.string()), completion: v.nullish(v.string()) })),
  reasoning: v.nullish(v.looseObject({
    supported_efforts: Words,
    mandatory: v.nullish(v.boolean()),
    supports_max_tokens: v.nullish(v.boolean()),
  })),
});
const ListedModels = v.looseObject({ data: v.array(v.unknown()) });

/** A model as an upstream lists it. Source: https://openrouter.ai/docs/api-reference/list-available-models */
export type ListedModel = v.InferOutput<typeof ListedModel>;

/** Reads an upstream's list; entries without an id are left out, and `undefined` means that it is no list. */
export function parseModelList(body: unknown): ListedModel[] | undefined {
  if (!v.is(ListedModels, body)) return undefined;
  return body.data.filter((entry): entry is ListedModel => v.is(ListedModel, entry));
}

/** Finds a model in a list by any of its names; a variant (`…:free`) that is not listed is its base. */
export function findModel(models: readonly ListedModel[], name: string): ListedModel | undefined {
  const named = (wanted: string) =>
    models.find(({ id, canonical_slug }) => id === wanted || canonical_slug === wanted);
  return named(name) ?? named(name.replace(/:[\w-]+$/, ""));
}

/** What a list says of a model, as far as it says anything. */
export function toFacts(model: ListedModel | undefined): ModelFacts {
  if (model === undefined) return {};
  const { supported_parameters: parameters, architecture, reasoning, pricing } = model;
  const inputs = architecture?.input_modalities;
  return {
    contextLength: model.context_length ?? undefined,
    maxOutput: model.top_provider?.max_completion_tokens ?? undefined,
    parameters: parameters?.length ? new Set(parameters) : undefined,
    inputs: inputs?.length ? new Set(inputs) : undefined,
    reasoning: reasoning
      ? {
        efforts: reasoning.supported_efforts ?? undefined,
        mandatory: reasoning.mandatory === true,
        budget: reasoning.supports_max_tokens !== false,
      }
      : undefined,
    price: { input: toPrice(pricing?.prompt), output: toPrice(pricing?.completion) },
  };
}

/** USD for one token; routers list -1, which means that it depends. */
function toPrice(price: string | null | undefined): number | undefined {
  const usd = Number(price ?? Number.NaN);
  return usd >= 0 ? usd : undefined;
}

/** A model as Anthropic's API lists it. Source: https://platform.claude.com/docs/en/api/models-list */
export function toAnthropicModel(model: ListedModel): JsonObject {
  return {
    type: "model",
    id: model.id,
    display_name: model.name ?? model.id,
    created_at: toTime(model),
    max_input_tokens: model.context_length ?? null,
    max_tokens: model.top_provider?.max_completion_tokens ?? null,
    lifecycle: "active",
    deprecated_at: null,
    retires_at: null,
    line: null,
    capabilities: null,
  };
}

/** A model as OpenAI's API lists it. Source: https://platform.openai.com/docs/api-reference/models/list */
export function toOpenAiModel(model: ListedModel): JsonObject {
  return { id: model.id, object: "model", created: model.created ?? 0, owned_by: model.id.split("/")[0] };
}

/** One page of Anthropic's list. */
export function toAnthropicPage(models: readonly ListedModel[], query: URLSearchParams): JsonObject {
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

function toTime({ created }: ListedModel): string {
  // Some hosts give milliseconds, or no time at all; dates end with the year 275760.
  const seconds = created && Math.abs(created) < 8.64e12 ? created : 0;
  return new Date(seconds * 1000).toISOString().replace(".000Z", "Z");
}
