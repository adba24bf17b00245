import type { Caller } from "../access/caller.ts";
import { assertModelAllowed, isModelListed } from "./allowed_models.ts";
import { hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { RoutedCall } from "./routing/routed_call.ts";
import type { GatewayContext } from "./context.ts";
import {
  findModel,
  type ListedModel,
  toAnthropicModel,
  toAnthropicPage,
  toOpenAiModel,
  withCapabilities,
} from "../upstreams/model_list.ts";
import { resolveModel, toClaudeName, unknownModelError } from "../upstreams/resolve.ts";
import type { Route, Upstream } from "../upstreams/upstream.ts";
import { logWarning } from "../observability/log.ts";
import { quote } from "../base/redact.ts";

/** List entry of the embedded model. The list has it if the gateway has no key for its first upstream. */
const DEMO_ENTRY: ListedModel = {
  id: "demo/echo",
  name: "demo/echo (built in: echoes the message, needs no key)",
};

/**
 * Answers `GET /v1/models` with the aliases, then the models of the upstreams. Anthropic's clients receive Anthropic's
 * format, others OpenAI's.
 *
 * @throws {ApiError} if the gateway has a key for the first upstream and cannot load its list, or if a rate limit is
 * exceeded.
 */
export async function answerModels(
  { request, gateway, requestLog: { caller } }: RoutedCall,
): Promise<Response> {
  const models = (await listModels(gateway, caller)).filter(({ id }) => isModelListed(gateway, id, caller));
  if (isAnthropicClient(request)) {
    return Response.json(toAnthropicPage(models, new URL(request.url).searchParams));
  }
  return Response.json({ object: "list", data: models.map(toOpenAiModel) });
}

/**
 * Answers `GET /v1/models/{id}`. Accepts unlisted names that resolve to a listed model. The id may contain slashes,
 * encoded or not.
 *
 * @throws {ApiError} `not_found_error` with the nearest model's name;
 * `api_error` if its upstream's list is unavailable.
 */
export async function answerModel(
  { request, gateway, requestLog: { caller }, params: { id = "" } }: RoutedCall,
): Promise<Response> {
  assertModelAllowed(gateway, resolveModel(id, gateway.directory), caller);
  const models = (await listModels(gateway, caller)).filter((model) =>
    isModelListed(gateway, model.id, caller)
  );
  const model = [...models, DEMO_ENTRY].find((listed) => listed.id === id) ??
    resolveUnlisted(gateway, id, models);
  return Response.json(isAnthropicClient(request) ? toAnthropicModel(model) : toOpenAiModel(model));
}

/** Resolves an unlisted name to a listed model: one of Claude Code's ids, or a variant (`…:free`). */
function resolveUnlisted(
  { modelCache, directory }: GatewayContext,
  id: string,
  models: readonly ListedModel[],
): ListedModel {
  const route = resolveModel(id, directory);
  const { upstream, model } = route;
  const cached = upstream.models ?? modelCache.peek(upstream);
  const found = findModel(cached, model);
  if (found !== undefined) return { ...withCapabilities(found), id };
  if (cached.length > 0 || !hasModelList(upstream)) {
    throw unknownModelError(
      route,
      upstream.models?.map((own) => `${upstream.name}/${own.id}`) ?? models.map((listed) => listed.id),
    );
  }
  const why = `the model list of upstream "${upstream.name}" is unavailable`;
  throw new ApiError("api_error", `Cannot look up model ${quote(id)}: ${why}`, { status: 502 });
}

function isAnthropicClient({ headers }: Request): boolean {
  return headers.has("anthropic-version") || headers.has("x-api-key");
}

async function listModels(gateway: GatewayContext, caller: Caller): Promise<ListedModel[]> {
  await gateway.limits.admitMetadataRequest(caller);
  const { directory } = gateway;
  const [upstream, ...others] = directory.upstreams.values();
  const keyless = upstream?.key === undefined;
  const [listed, ...named] = await Promise.all([
    // A gateway without a key lists the embedded model even if the upstream is unreachable.
    upstream === undefined
      ? []
      : keyless
      ? listOrEmpty(gateway, upstream, caller)
      : gateway.modelCache.fetch(upstream, caller),
    ...others.filter(hasModelList).map(async (other) =>
      (await listOrEmpty(gateway, other, caller)).map((entry) => toPrefixed(entry, other))
    ),
  ]);
  const aliases = [...directory.aliases.keys()].flatMap((alias) => {
    const route = resolveModel(alias, directory);
    return toAliasEntries(route, findModel(gateway.modelCache.peek(route.upstream), route.model));
  });
  return uniqueById([...(keyless ? [DEMO_ENTRY] : []), ...aliases, ...listed, ...named.flat()]);
}

/** Removes models whose id an earlier one has. An alias takes precedence over a model of the same name. */
function uniqueById(models: readonly ListedModel[]): ListedModel[] {
  const byId = new Map<string, ListedModel>();
  for (const model of models) if (!byId.has(model.id)) byId.set(model.id, model);
  return [...byId.values()];
}

async function listOrEmpty(
  { modelCache }: GatewayContext,
  upstream: Upstream,
  caller: Caller,
): Promise<readonly ListedModel[]> {
  try {
    return await modelCache.fetch(upstream, caller);
  } catch (error) {
    logWarning("upstream omitted from model list", { upstream: upstream.name, error }, "upstream");
    return [];
  }
}

function hasModelList({ preset }: Upstream): boolean {
  return hostFacts(preset).list !== "none";
}

/** Prefixes a model with the name of its upstream, as clients request it. */
function toPrefixed(entry: ListedModel, { name }: Upstream): ListedModel {
  return {
    ...withCapabilities(entry),
    id: `${name}/${entry.id}`,
    name: `${name}/${entry.name ?? entry.display_name ?? entry.id}`,
  };
}

/** Returns list entries of an alias, with its model's facts: under its name and under one that Claude Code displays. */
function toAliasEntries(
  { alias, model, upstream }: Pick<Route, "alias" | "model" | "upstream">,
  listed: ListedModel | undefined,
): ListedModel[] {
  const names = new Set([alias, toClaudeName(alias)]);
  const name = `${alias} (${model})`;
  const description = `Alias of ${listed?.name ?? model}, by ${upstream.name}`;
  return Array.from(names, (id) => ({ ...(listed && withCapabilities(listed)), id, name, description }));
}
