import type { Caller } from "../access/caller.ts";
import { hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import type { Exchange } from "./request_log.ts";
import type { GatewayContext } from "./context.ts";
import {
  findModel,
  type ListedModel,
  toAnthropicModel,
  toAnthropicPage,
  toOpenAiModel,
} from "../upstreams/model_list.ts";
import { resolveModel, toClaudeName, unknownModel } from "../upstreams/resolve.ts";
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
  { caller }: Exchange,
): Promise<Response> {
  const models = await listModels(gateway, caller);
  if (speaksAnthropic(request)) {
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
  const model = [...models, DEMO_ENTRY].find((listed) => listed.id === id) ?? findMeant(gateway, id, models);
  return Response.json(speaksAnthropic(request) ? toAnthropicModel(model) : toOpenAiModel(model));
}

/** The model that a name means which is not on the list: one of Claude Code's ids, or a variant (`…:free`). */
function findMeant(
  { catalogue, directory }: GatewayContext,
  id: string,
  models: readonly ListedModel[],
): ListedModel {
  const route = resolveModel(id, directory);
  const { upstream, model } = route;
  const known = catalogue.known(upstream);
  const found = findModel(known, model);
  if (found !== undefined) return { ...found, id };
  if (known.length > 0 || !isListed(upstream)) throw unknownModel(route, models.map((listed) => listed.id));
  const why = `the list of upstream "${upstream.name}" is not to be had`;
  throw new ApiError("api_error", `Cannot tell of model ${quote(id)}: ${why}`, { status: 502 });
}

function speaksAnthropic({ headers }: Request): boolean {
  return headers.has("anthropic-version") || headers.has("x-api-key");
}

async function listModels(gateway: GatewayContext, caller: Caller): Promise<ListedModel[]> {
  await gateway.limits.admitLookup(caller);
  const { directory } = gateway;
  const [upstream, ...others] = directory.upstreams.values();
  const keyless = upstream?.key === undefined;
  const [listed, ...named] = await Promise.all([
    // Without a key of its own the gateway has something to offer even where the upstream cannot be reached.
    upstream === undefined
      ? []
      : keyless
      ? listOrNothing(gateway, upstream, caller)
      : gateway.catalogue.list(upstream, caller),
    ...others.filter(isListed).map(async (other) =>
      (await listOrNothing(gateway, other, caller)).map((entry) => toPrefixed(entry, other))
    ),
  ]);
  const aliases = [...directory.aliases.keys()].flatMap((alias) => {
    const route = resolveModel(alias, directory);
    return toAliasEntries(route, findModel(gateway.catalogue.known(route.upstream), route.model));
  });
  return firstOfEach([...(keyless ? [DEMO_ENTRY] : []), ...aliases, ...listed, ...named.flat()]);
}

/** The models without those whose name an earlier one has: an alias goes before a model of the same name. */
function firstOfEach(models: readonly ListedModel[]): ListedModel[] {
  const byName = new Map<string, ListedModel>();
  for (const model of models) if (!byName.has(model.id)) byName.set(model.id, model);
  return [...byName.values()];
}

async function listOrNothing(
  { catalogue }: GatewayContext,
  upstream: Upstream,
  caller: Caller,
): Promise<readonly ListedModel[]> {
  try {
    return await catalogue.list(upstream, caller);
  } catch (error) {
    logWarning("The list of models lacks an upstream's", { upstream: upstream.name, error });
    return [];
  }
}

function isListed({ preset }: Upstream): boolean {
  return hostFacts(preset).list !== "none";
}

/** A model of a named upstream, as clients ask for it. */
function toPrefixed(entry: ListedModel, { name }: Upstream): ListedModel {
  return { ...entry, id: `${name}/${entry.id}`, name: `${name}/${entry.name ?? entry.id}` };
}

/** An alias with all that is known of its model, once more under the name that Claude Code shows. */
function toAliasEntries(
  { alias, model, upstream }: Pick<Route, "alias" | "model" | "upstream">,
  known: ListedModel | undefined,
): ListedModel[] {
  const names = new Set([alias, toClaudeName(alias)]);
  const name = `${alias} (${model})`;
  const description = `Alias of ${known?.name ?? model}, by ${upstream.name}`;
  return Array.from(names, (id) => ({ ...known, id, name, description }));
}
