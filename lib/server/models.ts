import type { Caller } from "../access/caller.ts";
import { hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { RequestLog } from "./request_log.ts";
import type { GatewayContext } from "./context.ts";
import {
  findModel,
  type ListedModel,
  toAnthropicModel,
  toAnthropicPage,
  toOpenAiModel,
} from "../upstreams/model_list.ts";
import { resolveModel, toClaudeName, unknownModelError } from "../upstreams/resolve.ts";
import type { Route, Upstream } from "../upstreams/upstream.ts";
import { logWarning } from "../observability/log.ts";
import { quote } from "../base/redact.ts";

/** The embedded model, as the list shows it to whoever has no key. */
const DEMO_ENTRY: ListedModel = {
  id: "demo/echo",
  name: "demo/echo (inside the gateway: repeats what you say, needs no key)",
};

/**
 * Answers `GET /v1/models`: the aliases, then what the upstream lists; in Anthropic's shape for its clients, else in
 * OpenAI's.
 *
 * @throws {ApiError} if the gateway has a key of its own and the upstream does not list its models.
 */
export async function answerModels(
  request: Request,
  gateway: GatewayContext,
  { caller }: RequestLog,
): Promise<Response> {
  const models = await listModels(gateway, caller);
  if (isAnthropicClient(request)) {
    return Response.json(toAnthropicPage(models, new URL(request.url).searchParams));
  }
  return Response.json({ object: "list", data: models.map(toOpenAiModel) });
}

/**
 * Answers `GET /v1/models/{id}`, also for a name that is not on the list and means a model that is; the id may hold
 * slashes, encoded or not.
 *
 * @throws {ApiError} `not_found_error`, naming the nearest model; `api_error` where the upstream's list is not known.
 */
export async function answerModel(
  request: Request,
  gateway: GatewayContext,
  { caller, id }: { caller: Caller; id: string },
): Promise<Response> {
  const models = await listModels(gateway, caller);
  const model = [...models, DEMO_ENTRY].find((listed) => listed.id === id) ??
    resolveUnlisted(gateway, id, models);
  return Response.json(isAnthropicClient(request) ? toAnthropicModel(model) : toOpenAiModel(model));
}

/** The model that a name means which is not on the list: one of Claude Code's ids, or a variant (`…:free`). */
function resolveUnlisted(
  { modelCache, directory }: GatewayContext,
  id: string,
  models: readonly ListedModel[],
): ListedModel {
  const route = resolveModel(id, directory);
  const { upstream, model } = route;
  const cached = modelCache.peek(upstream);
  const found = findModel(cached, model);
  if (found !== undefined) return { ...found, id };
  if (cached.length > 0 || !hasModelList(upstream)) {
    throw unknownModelError(
      route,
      models.map((listed) => listed.id),
    );
  }
  const why = `the list of upstream "${upstream.name}" is not to be had`;
  throw new ApiError("api_error", `Cannot tell of model ${quote(id)}: ${why}`, { status: 502 });
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
    // Without a key of its own the gateway has something to offer even where the upstream cannot be reached.
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

/** The models without those whose name an earlier one has: an alias goes before a model of the same name. */
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
    logWarning("The list of models lacks an upstream's", { upstream: upstream.name, error });
    return [];
  }
}

function hasModelList({ preset }: Upstream): boolean {
  return hostFacts(preset).list !== "none";
}

/** A model of a named upstream, as clients ask for it. */
function toPrefixed(entry: ListedModel, { name }: Upstream): ListedModel {
  return { ...entry, id: `${name}/${entry.id}`, name: `${name}/${entry.name ?? entry.id}` };
}

/** An alias with all that is known of its model, once more under the name that Claude Code shows. */
function toAliasEntries(
  { alias, model, upstream }: Pick<Route, "alias" | "model" | "upstream">,
  listed: ListedModel | undefined,
): ListedModel[] {
  const names = new Set([alias, toClaudeName(alias)]);
  const name = `${alias} (${model})`;
  const description = `Alias of ${listed?.name ?? model}, by ${upstream.name}`;
  return Array.from(names, (id) => ({ ...listed, id, name, description }));
}
