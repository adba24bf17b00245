import type { MessagesRequest } from "../anthropic/schema.ts";
import { isObject } from "../base/json.ts";

/**
 * Returns the models beside `model` that an upstream could answer a request with: those of OpenRouter's `models`,
 * `preset`, plugins and tools, of fallbacks, and of tools such as Anthropic's `advisor`.
 *
 * A tool or plugin that asks a model of its choice, if none is named, counts as `openrouter/` and its name.
 *
 * @example Usage
 * ```ts
 * import { namedModels } from "./named_models.ts";
 *
 * const request = { model: "m", max_tokens: 8, messages: [], tools: [{ type: "openrouter:fusion" }] };
 * if (namedModels(request)[0] !== "openrouter/fusion") throw new Error("not found");
 * ```
 */
export function namedModels(body: MessagesRequest): string[] {
  if (NAMING_FIELDS.every((field) => body[field] === undefined)) return [];
  const { preset, tools, plugins } = body;
  const listed = LISTS_OF_MODELS.flatMap((field) => toList(body[field]))
    .map((entry) => isObject(entry) ? entry["model"] : entry);
  return [
    ...listed.filter((name) => typeof name === "string"),
    ...(typeof preset === "string" ? [`@preset/${preset}`] : []),
    ...toList(tools).flatMap(modelsOfTool),
    ...toList(plugins).flatMap(modelsOfPlugin),
  ];
}

/** Fields of a request that list further models. Source: https://openrouter.ai/docs/features/model-routing */
const LISTS_OF_MODELS = ["models", "fallbacks", "fallback_models"] as const;

/** All fields of a request that name further models. */
const NAMING_FIELDS = ["preset", "tools", "plugins", ...LISTS_OF_MODELS] as const;

/**
 * Tools of OpenRouter that ask further models, and the fields that name those. Without one of the fields, the tool or
 * its caller chooses. Source: https://openrouter.ai/docs/guides/features/server-tools
 */
const ASKING_TOOLS = new Map([
  ["advisor", ["model"]],
  ["fusion", ["model", "analysis_models"]],
  ["image_generation", ["model"]],
  ["subagent", ["model"]],
]);

function modelsOfTool(tool: unknown): string[] {
  if (!isObject(tool)) return [];
  const { type, model, parameters } = tool;
  const own = typeof model === "string" ? [model] : [];
  const name = typeof type === "string" && type.startsWith("openrouter:")
    ? type.slice("openrouter:".length)
    : "";
  return [...own, ...modelsOfConfig(name, isObject(parameters) ? parameters : {})];
}

/** A plugin such as `fusion` adds the tool of its name. */
function modelsOfPlugin(plugin: unknown): string[] {
  return isObject(plugin) && typeof plugin["id"] === "string" ? modelsOfConfig(plugin["id"], plugin) : [];
}

/** Returns the models of a tool of OpenRouter, and of the tools that the asked model may use. */
function modelsOfConfig(name: string, config: Record<string, unknown>): string[] {
  const fields = ASKING_TOOLS.get(name) ?? [];
  const named = fields.map((field) => toList(config[field]).filter((model) => typeof model === "string"));
  const isChosen = named.some((models) => models.length === 0);
  return [
    ...named.flat(),
    ...(isChosen ? [`openrouter/${name}`] : []),
    ...toList(config["tools"]).flatMap(modelsOfTool),
  ];
}

function toList(value: unknown): unknown[] {
  return Array.isArray(value) ? value : value === undefined ? [] : [value];
}
