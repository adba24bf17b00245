import type { Caller } from "./access.ts";
import type { Clock } from "./clock.ts";
import { type ListedModel, parseModelList } from "./model_list.ts";
import { ApiError } from "./errors.ts";
import type { Upstream } from "./models.ts";
import { readWhole, send } from "./upstream.ts";

/** How long a list is taken for true, in milliseconds. */
const FRESH = 10 * 60 * 1000;
/** How long an upstream may take to list its models, in milliseconds: Claude Code waits 3 s for the gateway's list. */
const PATIENCE = 10_000;

/** What an upstream's list of models says, fetched when first asked for and kept for ten minutes. */
export interface Catalogue {
  /** Gives the list; @throws {ApiError} if it cannot be had. */
  list(upstream: Upstream, caller: Caller): Promise<ListedModel[]>;
  /** Gives the list as it was last seen, however old, without asking for it. */
  known(upstream: Upstream): readonly ListedModel[];
}

/** Creates a catalogue that knows nothing yet. */
export function createCatalogue(gateway: { fetch: typeof fetch; clock: Clock }): Catalogue {
  const lists = new Map<string, { models: readonly ListedModel[]; at: number }>();
  const underway = new Map<string, Promise<ListedModel[]>>();

  async function load(upstream: Upstream, caller: Caller): Promise<ListedModel[]> {
    const abort = new AbortController();
    const stop = gateway.clock.after(PATIENCE, () => abort.abort(tooSlow(upstream)));
    try {
      const response = await send(gateway, upstream, { path: "/models", caller, signal: abort.signal });
      const models = parseModelList(await readWhole(response, upstream, abort.signal));
      if (models === undefined) throw noList(upstream);
      lists.set(upstream.name, { models, at: gateway.clock.now() });
      return models;
    } finally {
      stop();
      underway.delete(upstream.name);
    }
  }

  return {
    async list(upstream, caller) {
      const kept = lists.get(upstream.name);
      if (kept !== undefined && gateway.clock.now() - kept.at < FRESH) return [...kept.models];
      const loading = underway.get(upstream.name) ?? load(upstream, caller);
      underway.set(upstream.name, loading);
      return await loading;
    },
    known: (upstream) => lists.get(upstream.name)?.models ?? [],
  };
}

function tooSlow({ name }: Upstream): ApiError {
  return new ApiError("timeout_error", `Cannot list the models of upstream "${name}": it took too long`);
}

function noList({ name }: Upstream): ApiError {
  return new ApiError("api_error", `Cannot list the models of upstream "${name}": its answer is no list`, {
    status: 502,
  });
}
