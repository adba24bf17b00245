import { LruMap } from "../../base/lru.ts";
import type { FinishedRequest } from "../../observability/request_record.ts";

/** Use of one model by a session. */
export interface ModelUse {
  /** Name in the requests. */
  model: string;
  /** Upstream and model that answered last. */
  answered_by: string;
  requests: number;
  input_tokens: number;
  output_tokens: number;
  cache_read_input_tokens: number;
  /** Cost in USD: reported, or else by list price. Turns of unknown cost count as 0. */
  cost_usd: number;
}

/** Messages of one session of a key. Times are in milliseconds since 1970. */
export interface Session {
  id: string;
  startedAt: number;
  lastAt: number;
  requests: number;
  failed: number;
  /** The model that was used last is the last one. */
  models: ModelUse[];
}

/** Sessions since the start of the gateway. The least recently used are forgotten. */
export interface SessionStore {
  add(finished: FinishedRequest, now: number): void;
  /** Adds the cost of a turn that ended after its request, such as that of an answer whose client has left. */
  addCost(request: { client: string; session: string; model: string }, usd: number): void;
  /** Returns a session of a key; undefined if it is unknown. */
  find(client: string, id: string): Session | undefined;
}

const MAX_SESSIONS = 5000;
const MAX_MODELS = 20;
const MAX_NAME_CHARS = 256;

/** Creates an empty store. */
export function createSessionStore(): SessionStore {
  const sessions = new LruMap<string, Session>(MAX_SESSIONS);
  return {
    add({ record, usd }, now) {
      const { client, session: id, model, answeredBy, outcome } = record;
      if (id === undefined || model === undefined || answeredBy === undefined || record.turns === undefined) {
        return;
      }
      const key = toKey(client, id);
      const session: Session = sessions.get(key) ??
        { id, startedAt: now - record.milliseconds, lastAt: now, requests: 0, failed: 0, models: [] };
      sessions.set(key, session);
      session.lastAt = now;
      session.requests++;
      if (outcome === "failed") session.failed++;
      const use = takeUse(session.models, model.slice(0, MAX_NAME_CHARS));
      use.answered_by = answeredBy.slice(0, MAX_NAME_CHARS);
      use.requests++;
      use.input_tokens += record.inputTokens ?? 0;
      use.output_tokens += record.outputTokens ?? 0;
      use.cache_read_input_tokens += record.cachedTokens ?? 0;
      use.cost_usd += usd ?? 0;
    },
    addCost({ client, session, model }, usd) {
      const use = sessions.get(toKey(client, session))?.models
        .find((one) => one.model === model.slice(0, MAX_NAME_CHARS));
      if (use !== undefined) use.cost_usd += usd;
    },
    find: (client, id) => sessions.get(toKey(client, id)),
  };
}

/** Returns the use of a model, and moves it to the end of the list. The oldest is dropped from a full list. */
function takeUse(models: ModelUse[], model: string): ModelUse {
  const at = models.findIndex((use) => use.model === model);
  const use = at < 0 ? createUse(model) : models[at] ?? createUse(model);
  if (at < 0 || at < models.length - 1) {
    if (at >= 0) models.splice(at, 1);
    models.push(use);
    if (models.length > MAX_MODELS) models.shift();
  }
  return use;
}

function createUse(model: string): ModelUse {
  return {
    model,
    answered_by: "",
    requests: 0,
    input_tokens: 0,
    output_tokens: 0,
    cache_read_input_tokens: 0,
    cost_usd: 0,
  };
}

function toKey(client: string, session: string): string {
  return `${client}\0${session}`;
}
