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
  models: readonly ModelUse[];
}

/** Sessions since the start of the gateway. The least recently used are forgotten. */
export interface SessionStore {
  add(finished: FinishedRequest, now: number): void;
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
      const known = sessions.get(toKey(client, id)) ??
        { id, startedAt: now - record.milliseconds, lastAt: now, requests: 0, failed: 0, models: [] };
      const name = model.slice(0, MAX_NAME_CHARS);
      const before = known.models.find((use) => use.model === name);
      const use: ModelUse = {
        model: name,
        answered_by: answeredBy.slice(0, MAX_NAME_CHARS),
        requests: (before?.requests ?? 0) + 1,
        input_tokens: (before?.input_tokens ?? 0) + (record.inputTokens ?? 0),
        output_tokens: (before?.output_tokens ?? 0) + (record.outputTokens ?? 0),
        cache_read_input_tokens: (before?.cache_read_input_tokens ?? 0) + (record.cachedTokens ?? 0),
        cost_usd: (before?.cost_usd ?? 0) + (usd ?? 0),
      };
      sessions.set(toKey(client, id), {
        ...known,
        lastAt: now,
        requests: known.requests + 1,
        failed: known.failed + (outcome === "failed" ? 1 : 0),
        models: [...known.models.filter((other) => other !== before), use].slice(-MAX_MODELS),
      });
    },
    find: (client, id) => sessions.get(toKey(client, id)),
  };
}

function toKey(client: string, session: string): string {
  return `${client}\0${session}`;
}
