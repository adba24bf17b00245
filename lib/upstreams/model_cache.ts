import type { Caller } from "../access/caller.ts";
import type { Clock } from "../runtime/clock.ts";
import { withTimeout } from "../runtime/timeout.ts";
import { hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import { type ListedModel, parseModelList } from "./model_list.ts";
import type { Upstream } from "./upstream.ts";
import { readJsonResponse, send } from "./send.ts";

/** How long a list is taken for true, and for how long nobody asks again after a failure; in milliseconds. */
const FRESH_MS = 10 * 60 * 1000;
const RETRY_BLOCK_MS = 60 * 1000;
/** How long an upstream may take to list its models, in milliseconds: Claude Code waits 3 s for the gateway's list. */
const MODEL_LIST_TIMEOUT_MS = 10_000;
/** How long a message waits for a list that has never been seen, in milliseconds. */
const MESSAGE_WAIT_MS = 2000;

/** What an upstream's list of models says: fetched when first needed, kept, and refreshed behind the scenes. */
export interface ModelCache {
  /**
   * Gives the list.
   *
   * @throws {ApiError} if it cannot be had.
   */
  fetch(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]>;
  /** Gives what is known, an empty list if nothing is; waits for it a little only where it has never been seen. */
  get(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]>;
  /** Gives the list as it was last seen, however old. */
  peek(upstream: Upstream): readonly ListedModel[];
}

/** Creates a catalogue that knows nothing yet. */
export function createModelCache(gateway: { fetch: typeof fetch; clock: Clock }): ModelCache {
  const { clock } = gateway;
  const lists = new Map<string, { models: readonly ListedModel[]; fetchedAt: number }>();
  const failures = new Map<string, number>();
  const inFlight = new Map<string, Promise<readonly ListedModel[]>>();

  async function load(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]> {
    const controller = new AbortController();
    const stop = clock.after(MODEL_LIST_TIMEOUT_MS, () => controller.abort(timeoutError(upstream)));
    try {
      // The key alone: an upstream may shape its list after the version of the API that it is asked for.
      const upstreamCaller = { client: caller.client, key: caller.key };
      const response = await send(gateway, upstream, {
        path: "/models",
        caller: upstreamCaller,
        signal: controller.signal,
      });
      const models = parseModelList(
        await readJsonResponse(response, upstream, { signal: controller.signal }),
      );
      if (models === undefined) throw invalidListError(upstream);
      lists.set(upstream.name, { models, fetchedAt: clock.now() });
      failures.delete(upstream.name);
      return models;
    } catch (error) {
      failures.set(upstream.name, clock.now());
      throw error;
    } finally {
      stop();
      inFlight.delete(upstream.name);
    }
  }

  function refresh(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]> {
    const loading = inFlight.get(upstream.name) ?? load(upstream, caller);
    inFlight.set(upstream.name, loading);
    return loading;
  }

  const modelCache: ModelCache = {
    peek: (upstream) => lists.get(upstream.name)?.models ?? [],
    async fetch(upstream, caller) {
      const cached = lists.get(upstream.name);
      return cached !== undefined && clock.now() - cached.fetchedAt < FRESH_MS
        ? cached.models
        : await refresh(upstream, caller);
    },
    async get(upstream, caller) {
      const cached = lists.get(upstream.name);
      const failedAt = failures.get(upstream.name);
      const hasNoList = hostFacts(upstream.preset).list === "none";
      if (hasNoList || (failedAt !== undefined && clock.now() - failedAt < RETRY_BLOCK_MS)) {
        return cached?.models ?? [];
      }
      if (cached !== undefined && clock.now() - cached.fetchedAt < FRESH_MS) return cached.models;
      const loading = refresh(upstream, caller).catch(() => []); // a message goes on without
      if (cached !== undefined) return cached.models;
      return await withTimeout(clock, MESSAGE_WAIT_MS, loading) ?? [];
    },
  };
  return modelCache;
}

function timeoutError({ name }: Upstream): ApiError {
  return new ApiError("timeout_error", `Cannot list the models of upstream "${name}": it took too long`);
}

function invalidListError({ name }: Upstream): ApiError {
  return new ApiError("api_error", `Cannot list the models of upstream "${name}": its answer is no list`, {
    status: 502,
  });
}
