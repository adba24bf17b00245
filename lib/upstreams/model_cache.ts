import type { Caller } from "../access/caller.ts";
import type { Clock } from "../runtime/clock.ts";
import { withTimeout } from "../runtime/timeout.ts";
import { hostFacts } from "../dialects/mod.ts";
import { ApiError } from "../base/errors.ts";
import { type ListedModel, parseModelList } from "./model_list.ts";
import type { Upstream } from "./upstream.ts";
import { readJsonResponse, send } from "./send.ts";

/** Time after which a cached list is refreshed. */
const FRESH_MS = 10 * 60 * 1000;
/** Time after a failure in which no message loads the list again. */
const RETRY_BLOCK_MS = 60 * 1000;
/** Timeout for loading a list. It may exceed the 3 s that Claude Code waits: a later request finds the list cached. */
const MODEL_LIST_TIMEOUT_MS = 10_000;
/** Maximum time that a message waits for a list that was never loaded. */
const MESSAGE_WAIT_MS = 2000;

/** Cache of the upstreams' model lists. Loads a list on first use, and refreshes it in the background for messages. */
export interface ModelCache {
  /**
   * Returns the list, and loads it if it is missing or old.
   *
   * @throws {ApiError} if it cannot be loaded.
   */
  fetch(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]>;
  /** Returns the cached list, or an empty one. Waits at most 2 s, and only for a list that was never loaded. */
  get(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]>;
  /** Returns the list as last loaded, however old; empty if it was never loaded. */
  peek(upstream: Upstream): readonly ListedModel[];
}

/** Creates an empty cache. */
export function createModelCache(gateway: { fetch: typeof fetch; clock: Clock }): ModelCache {
  const { clock } = gateway;
  const lists = new Map<string, { models: readonly ListedModel[]; fetchedAt: number }>();
  const failures = new Map<string, number>();
  const inFlight = new Map<string, Promise<readonly ListedModel[]>>();

  async function load(upstream: Upstream, caller: Caller): Promise<readonly ListedModel[]> {
    const controller = new AbortController();
    const stop = clock.after(MODEL_LIST_TIMEOUT_MS, () => controller.abort(timeoutError(upstream)));
    try {
      // Only the key, no version and no betas: the format of a list may depend on them.
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
    get(upstream, caller) {
      const cached = lists.get(upstream.name);
      const failedAt = failures.get(upstream.name);
      const hasNoList = hostFacts(upstream.preset).list === "none";
      if (hasNoList || (failedAt !== undefined && clock.now() - failedAt < RETRY_BLOCK_MS)) {
        return Promise.resolve(cached?.models ?? []);
      }
      if (cached !== undefined && clock.now() - cached.fetchedAt < FRESH_MS) {
        return Promise.resolve(cached.models);
      }
      const loading = refresh(upstream, caller).catch(() => []); // a message continues without the list
      if (cached !== undefined) return Promise.resolve(cached.models);
      return withTimeout(clock, MESSAGE_WAIT_MS, loading).then((models) => models ?? []);
    },
  };
  return modelCache;
}

function timeoutError({ name }: Upstream): ApiError {
  return new ApiError(
    "timeout_error",
    `Cannot list the models of upstream "${name}": no answer within ${MODEL_LIST_TIMEOUT_MS / 1000} s`,
  );
}

function invalidListError({ name }: Upstream): ApiError {
  return new ApiError(
    "api_error",
    `Cannot list the models of upstream "${name}": its answer is not a model list`,
    {
      status: 502,
    },
  );
}
