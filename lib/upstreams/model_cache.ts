import type { Caller } from "../access/caller.ts";
import type { Clock } from "../runtime/clock.ts";
import { withTimeout } from "../runtime/timeout.ts";
import { hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import { type ListedModel, parseModelList } from "./model_list.ts";
import type { Upstream } from "./upstream.ts";
import { readWhole, send } from "./send.ts";

/** How long a list is taken for true, and for how long nobody asks again after a failure; in milliseconds. */
const FRESH = 10 * 60 * 1000;
const DISCOURAGED = 60 * 1000;
/** How long an upstream may take to list its models, in milliseconds: Claude Code waits 3 s for the gateway's list. */
const PATIENCE = 10_000;
/** How long a message waits for a list that has never been seen, in milliseconds. */
const MESSAGE_PATIENCE = 2000;

/** What an upstream's list of models says: fetched when first needed, kept, and refreshed behind the scenes. */
export interface Catalogue {
  /**
   * Gives the list.
   *
   * @throws {ApiError} if it cannot be had.
   */
  list(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]>;
  /** Gives what is known, an empty list if nothing is; waits for it a little only where it has never been seen. */
  look(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]>;
  /** Gives the list as it was last seen, however old. */
  known(upstream: Upstream): readonly ListedModel[];
}

/** Creates a catalogue that knows nothing yet. */
export function createCatalogue(gateway: { fetch: typeof fetch; clock: Clock }): Catalogue {
  const { clock } = gateway;
  const lists = new Map<string, { models: readonly ListedModel[]; at: number }>();
  const failures = new Map<string, number>();
  const underway = new Map<string, Promise<readonly ListedModel[]>>();

  async function load(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]> {
    const abort = new AbortController();
    const stop = clock.after(PATIENCE, () => abort.abort(tooSlow(upstream)));
    try {
      // The key alone: an upstream may shape its list after the version of the API that it is asked for.
      const asker = { client: caller.client, key: caller.key };
      const response = await send(gateway, upstream, {
        path: "/models",
        caller: asker,
        signal: abort.signal,
      });
      const models = parseModelList(await readWhole(response, upstream, { signal: abort.signal }));
      if (models === undefined) throw noList(upstream);
      lists.set(upstream.name, { models, at: clock.now() });
      failures.delete(upstream.name);
      return models;
    } catch (error) {
      failures.set(upstream.name, clock.now());
      throw error;
    } finally {
      stop();
      underway.delete(upstream.name);
    }
  }

  function refresh(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]> {
    const loading = underway.get(upstream.name) ?? load(upstream, caller);
    underway.set(upstream.name, loading);
    return loading;
  }

  const catalogue: Catalogue = {
    known: (upstream) => lists.get(upstream.name)?.models ?? [],
    async list(upstream, caller) {
      const kept = lists.get(upstream.name);
      return kept !== undefined && clock.now() - kept.at < FRESH
        ? kept.models
        : await refresh(upstream, caller);
    },
    async look(upstream, caller) {
      const kept = lists.get(upstream.name);
      const failedAt = failures.get(upstream.name);
      const unlisted = hostFacts(upstream.preset).list === "none";
      if (unlisted || (failedAt !== undefined && clock.now() - failedAt < DISCOURAGED)) {
        return kept?.models ?? [];
      }
      if (kept !== undefined && clock.now() - kept.at < FRESH) return kept.models;
      const loading = refresh(upstream, caller).catch(() => []); // a message goes on without
      if (kept !== undefined) return kept.models;
      return await withTimeout(clock, MESSAGE_PATIENCE, loading) ?? [];
    },
  };
  return catalogue;
}

function tooSlow({ name }: Upstream): ApiError {
  return new ApiError("timeout_error", `Cannot list the models of upstream "${name}": it took too long`);
}

function noList({ name }: Upstream): ApiError {
  return new ApiError("api_error", `Cannot list the models of upstream "${name}": its answer is no list`, {
    status: 502,
  });
}
