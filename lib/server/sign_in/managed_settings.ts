import type { Caller } from "../../access/caller.ts";
import { isModelListed } from "../allowed_models.ts";
import type { DefaultModels, PricedModel } from "../../claude_code/managed_settings.ts";
import { toManagedSettings } from "../../claude_code/managed_settings.ts";
import { findModel, type ListedModel, toFacts } from "../../upstreams/model_list.ts";
import { resolveModel } from "../../upstreams/resolve.ts";
import type { Upstream } from "../../upstreams/upstream.ts";
import type { GatewayContext } from "../context.ts";
import type { RoutedCall } from "../routing/routed_call.ts";

/** Models of a catalogue that a key without an alias is offered. */
const MAX_CATALOGUE_MODELS = 20;

/**
 * Answers `GET /managed/settings`: what Claude Code is told about the models of a key. A failure of this endpoint keeps
 * Claude Code from starting: it depends on nothing but memory, and waits at most 2 s for a list that was never loaded.
 */
export async function answerManagedSettings({ request, gateway, requestLog }: RoutedCall): Promise<Response> {
  const { caller } = requestLog;
  const answer = toManagedSettings(caller.client, ...await describeModels(gateway, caller));
  const etag = `"${answer.checksum}"`;
  const headers = { etag, "cache-control": "no-store" };
  const isKnown = (request.headers.get("if-none-match") ?? "").split(",")
    .some((known) => known.trim().replace(/^W\//, "") === etag);
  return isKnown ? new Response(null, { status: 304, headers }) : Response.json(answer, { headers });
}

/** Returns the models that a key is offered, the first one for new sessions, and those behind Claude Code's names. */
async function describeModels(
  gateway: GatewayContext,
  caller: Caller,
): Promise<[models: readonly PricedModel[], defaults: DefaultModels]> {
  const { directory, modelCache } = gateway;
  const upstreams = [...directory.upstreams.values()].filter(isUsable);
  const lists = new Map(
    await Promise.all(
      upstreams.map(async (upstream) =>
        [upstream, upstream.models ?? await modelCache.get(upstream, { client: caller.client })] as const
      ),
    ),
  );
  const isOffered = (name: string) =>
    lists.has(resolveModel(name, directory).upstream) && isModelListed(gateway, name, caller);
  const aliases = [...directory.aliases.keys()].filter((alias) => alias !== "small" && isOffered(alias));
  const small = isOffered("small") ? ["small"] : [];
  const own = [...aliases, ...small];
  const names = own.length > 0 ? own : namesInLists(lists, gateway).filter(isOffered);
  const models = names.slice(0, own.length || MAX_CATALOGUE_MODELS).map((name) =>
    describe(name, gateway, lists)
  );
  const [first] = models;
  // Claude Code's own names lead to Claude models where the key may use them.
  const sonnet = first?.model?.includes("claude") && isOffered("claude-sonnet-5") ? undefined : first?.id;
  return [models, { opus: first?.id, fable: first?.id, sonnet, haiku: small[0] ?? first?.id }];
}

type Lists = ReadonlyMap<Upstream, readonly ListedModel[]>;

/** True if requests to an upstream can succeed: it has a key, or needs none. */
function isUsable({ acceptsClientKey, key }: Upstream): boolean {
  return acceptsClientKey !== true || key !== undefined;
}

/** Returns the names of all listed models, as clients request them. */
function namesInLists(lists: Lists, { directory }: GatewayContext): string[] {
  const [first] = directory.upstreams.values();
  return [...lists].flatMap(([upstream, models]) =>
    models.map(({ id }) => upstream === first ? id : `${upstream.name}/${id}`)
  );
}

function describe(name: string, { directory }: GatewayContext, lists: Lists): PricedModel {
  const { model, upstream } = resolveModel(name, directory);
  const listed = findModel(lists.get(upstream) ?? [], model);
  const { contextLength, price } = toFacts(listed);
  const label = listed?.name ?? listed?.display_name;
  const isAlias = directory.aliases.has(name);
  return {
    id: name,
    model,
    label: isAlias ? `${name} (${label ?? model})` : label ?? name,
    description: isAlias ? `Alias of ${model}, by ${upstream.name}` : name,
    window: contextLength,
    // A model within the gateway costs nothing.
    price: upstream.models === undefined ? price : { input: 0, output: 0 },
  };
}
