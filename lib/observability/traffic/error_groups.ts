import { fnv } from "../../base/hash/fnv.ts";
import { type FailureKind, isExpected } from "../failure_kind.ts";

/** A failed request, as it is grouped. */
export interface SeenError {
  /** Id of the request. */
  id: string;
  /** Name of the client's key. */
  client: string;
  failure: FailureKind;
  /** Anthropic's type of the error. */
  type: string;
  status: number;
  /** Name of the upstream, or `gateway`. */
  source: string;
  /** Upstream and model that were asked, if any. */
  model?: string | undefined;
  /** The message of an error of the gateway. What it quotes is removed. */
  message?: string | undefined;
}

/** Errors of one type, status, source and message. Times are in milliseconds since 1970. */
export interface ErrorGroup {
  /** Stable hash of what the errors have in common. */
  readonly id: string;
  readonly failure: FailureKind;
  readonly type: string;
  readonly status: number;
  readonly source: string;
  /** Message without what it quotes, and without numbers; empty for errors of an upstream. */
  readonly text: string;
  count: number;
  firstAt: number;
  lastAt: number;
  /** Time when it was marked as resolved; undefined if it was not, or has happened again since. */
  resolvedAt: number | undefined;
  /** True if it has happened again after it was resolved. */
  reopened: boolean;
  /** Names of keys and models with an error of the group; the first few. */
  clients: string[];
  models: string[];
  /** Ids of the newest requests, the newest first. */
  requests: { id: string; client: string; at: number }[];
  /** Errors by minute since 1970, of the last hour, and by hour, of the last 7 days. */
  minutes: Map<number, number>;
  hours: Map<number, number>;
}

/** The errors since the start, in groups. */
export interface ErrorGroups {
  /** Adds an error, which may be older than others of its group, and returns the group. */
  add(error: SeenError, now: number): ErrorGroup;
  find(id: string): ErrorGroup | undefined;
  /** Returns the groups, that of the newest error first. */
  list(): ErrorGroup[];
  /** Marks a group as resolved until it happens again, or removes the mark. */
  resolve(id: string, at: number | undefined): boolean;
  /** Restores the mark of a group from before the start: it is reopened if it has happened again since. */
  restore(id: string, resolvedAt: number): void;
  /** Number of groups that are neither resolved nor expected. */
  countUnresolved(): number;
}

/** Maximum numbers of what is kept. The group whose last error is the oldest is dropped. */
const MAX_GROUPS = 200;
const MAX_NAMES = 8;
const MAX_REQUESTS = 5;
const MAX_MINUTES = 60;
const MAX_HOURS = 7 * 24;
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Creates the groups; there are none. */
export function createErrorGroups(): ErrorGroups {
  const groups = new Map<string, ErrorGroup>();
  const newestFirst = () => [...groups.values()].reverse().sort((one, other) => other.lastAt - one.lastAt);
  return {
    add(error, now) {
      const text = toPattern(error.message ?? "");
      const id = fnv([error.failure, error.type, error.status, error.source, text].join("\n")).toString(16);
      const group = groups.get(id) ?? createGroup(id, error, text, now);
      groups.set(id, group);
      addTo(group, error, now);
      const oldest = groups.size > MAX_GROUPS ? newestFirst().at(-1) : undefined;
      if (oldest !== undefined) groups.delete(oldest.id);
      return group;
    },
    find: (id) => groups.get(id),
    list: newestFirst,
    resolve(id, at) {
      const group = groups.get(id);
      if (group === undefined) return false;
      group.resolvedAt = at;
      group.reopened = false;
      return true;
    },
    restore(id, resolvedAt) {
      const group = groups.get(id);
      if (group === undefined || group.resolvedAt !== undefined) return;
      group.reopened = group.lastAt > resolvedAt;
      group.resolvedAt = group.reopened ? undefined : resolvedAt;
    },
    countUnresolved: () =>
      [...groups.values()].filter(({ resolvedAt, failure }) =>
        resolvedAt === undefined && !isExpected(failure)
      ).length,
  };
}

function createGroup(
  id: string,
  { failure, type, status, source }: SeenError,
  text: string,
  now: number,
): ErrorGroup {
  return {
    id,
    failure,
    type,
    status,
    source,
    text,
    count: 0,
    firstAt: now,
    lastAt: now,
    resolvedAt: undefined,
    reopened: false,
    clients: [],
    models: [],
    requests: [],
    minutes: new Map(),
    hours: new Map(),
  };
}

function addTo(group: ErrorGroup, { id, client, model }: SeenError, now: number): void {
  group.count++;
  group.firstAt = Math.min(group.firstAt, now);
  group.lastAt = Math.max(group.lastAt, now);
  if (group.resolvedAt !== undefined && now > group.resolvedAt) {
    group.resolvedAt = undefined;
    group.reopened = true;
  }
  addName(group.clients, client);
  if (model !== undefined) addName(group.models, model);
  const older = group.requests.findIndex(({ at }) => at <= now);
  group.requests.splice(older === -1 ? group.requests.length : older, 0, { id, client, at: now });
  group.requests.splice(MAX_REQUESTS);
  count(group.minutes, { now, newest: group.lastAt, unitMs: MINUTE_MS, kept: MAX_MINUTES });
  count(group.hours, { now, newest: group.lastAt, unitMs: HOUR_MS, kept: MAX_HOURS });
}

/** Counts an error in its unit of time, and removes the units that are no longer kept. */
function count(
  counts: Map<number, number>,
  { now, newest, unitMs, kept }: { now: number; newest: number; unitMs: number; kept: number },
): void {
  const unit = Math.floor(now / unitMs);
  counts.set(unit, (counts.get(unit) ?? 0) + 1);
  const last = Math.floor(newest / unitMs) - kept;
  for (const old of counts.keys()) if (old <= last) counts.delete(old);
}

function addName(names: string[], name: string): void {
  if (names.length < MAX_NAMES && !names.includes(name)) names.push(name);
}

const MAX_TEXT_CHARS = 200;

/**
 * Returns a message without what it quotes and without numbers. Messages of the gateway quote whatever a client, a
 * model or an upstream has chosen.
 */
function toPattern(message: string): string {
  return message.slice(0, 2000)
    .replace(/"(?:[^"\\]|\\.)*"?/g, '"…"')
    .replace(/^Cannot ([A-Z]+) \/\S*?(?=: |$)/, "Cannot $1 /…")
    .replace(/\d+/g, "N")
    .slice(0, MAX_TEXT_CHARS);
}
