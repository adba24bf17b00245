import type { Caller } from "../../access/caller.ts";
import type { ApiError } from "../../base/errors.ts";
import { LruMap } from "../../base/lru.ts";
import type { Clock } from "../../runtime/clock.ts";
import { toMilliseconds } from "../retry_delay.ts";
import type { RouteTarget } from "../upstream.ts";
import {
  afterAnswer,
  afterFailure,
  type Cooldown,
  type CooldownLimits,
  stateOf,
  type TargetState,
} from "./cooldown.ts";
import { orderByWeight } from "./order_by_weight.ts";

/** Maximum number of targets that are remembered, and of sessions; the least recently used is forgotten. */
const MAX_TARGETS = 1000;
const MAX_SESSIONS = 10_000;

/** What is remembered of a target that has failed. */
interface TargetRecord {
  key: string;
  cooldown?: Cooldown | undefined;
  /** Number of pauses since the start of the gateway. */
  cooldowns: number;
  /** The request that tries a half-open target. */
  probe?: symbol | undefined;
}

/** What a change of the settings leaves as it is: failures of targets, and which of them answered a session. */
export interface TargetMemory {
  targets: LruMap<string, TargetRecord>;
  sessions: LruMap<string, string>;
  /** Requests without a session. */
  requests: number;
}

/** Creates an empty memory. */
export function createTargetMemory(): TargetMemory {
  return { targets: new LruMap(MAX_TARGETS), sessions: new LruMap(MAX_SESSIONS), requests: 0 };
}

/** A target to send a request to, and the others in the order in which they are asked if it fails. */
export interface Choice {
  target: RouteTarget;
  others: readonly RouteTarget[];
  /** Names of the targets that would have come first, but cool down. */
  skipped: readonly string[];
}

/**
 * Start of an attempt, whose `end` must be called; `elsewhere` if another target is to be asked; `cooling` if it is too
 * early for all of them, after a rate limit or another failure.
 */
export type Attempt =
  | { status: "started"; end(answered: boolean): void }
  | { status: "elsewhere" }
  | { status: "cooling"; retryAfterS: number; limited: boolean };

/** State of a target, as operators see it. */
export interface TargetReport {
  /** `upstream/model`, with a hash if the alias sets options. */
  target: string;
  state: TargetState;
  /** Failures in a row, and the HTTP status of the last one. */
  failures?: number;
  last_status?: number;
  /** Seconds until the next request may try it. */
  retry_in_s?: number;
}

/** Health of the targets of aliases that have more than one. A target without an alternative is always asked. */
export interface TargetHealth {
  /** Orders a group of targets for a request: the one that answered its session first, the others by weight. */
  order(group: readonly RouteTarget[], caller: Caller): RouteTarget[];
  /**
   * Chooses the first target that does not cool down. If all do, the one whose pause ends first, preferably one that
   * did not state it. Undefined without targets.
   */
  choose(targets: readonly RouteTarget[]): Choice | undefined;
  /** Starts an attempt. A half-open target is tried by one request at a time while another target is available. */
  start(target: RouteTarget, others: readonly RouteTarget[], caller: Caller): Attempt;
  /** Records the failure of a request, and returns the pause that it began, if it did. */
  fail(target: RouteTarget, failure: { error: ApiError; startedAt: number }): Cooldown | undefined;
  /** Records that a target answers. `startedAt` is the start of the request. */
  succeed(target: RouteTarget, startedAt: number): void;
  /** Returns the state of a target. */
  report(target: RouteTarget): TargetReport;
}

/** Creates the health of targets from what is remembered of them. */
export function createTargetHealth(
  memory: TargetMemory,
  { clock, ...limits }: CooldownLimits & { clock: Clock },
): TargetHealth {
  // A change of the settings may have turned pauses off.
  const cooldownOf = ({ key }: RouteTarget) =>
    limits.firstMs === 0 ? undefined : memory.targets.get(key)?.cooldown;
  const stateAt = (target: RouteTarget, now: number) => stateOf(cooldownOf(target), now);
  const isAvailable = (target: RouteTarget, now: number) => {
    const state = stateAt(target, now);
    return state === "healthy" ||
      state === "half_open" && memory.targets.get(target.key)?.probe === undefined;
  };
  const isBlocked = (target: RouteTarget, now: number) => {
    const cooldown = cooldownOf(target);
    return cooldown !== undefined && cooldown.stated && now < cooldown.until;
  };

  return {
    order(group, caller) {
      if (group.length < 2) return [...group];
      const { sessionId } = caller;
      const seed = sessionId === undefined ? String(memory.requests++) : `${caller.client} ${sessionId}`;
      const ordered = orderByWeight(group, seed);
      const answeredBy = memory.sessions.get(toSessionKey(ordered[0], caller) ?? "");
      return ordered.sort((a, b) => Number(b.key === answeredBy) - Number(a.key === answeredBy));
    },
    choose(targets) {
      const now = clock.now();
      const available = targets.find((target) => isAvailable(target, now));
      const until = (target: RouteTarget) => cooldownOf(target)?.until ?? 0;
      const target = available ??
        [...targets].sort((a, b) =>
          Number(isBlocked(a, now)) - Number(isBlocked(b, now)) || until(a) - until(b)
        )[0];
      if (target === undefined) return undefined;
      return {
        target,
        others: targets.filter((other) => other !== target),
        skipped: targets.slice(0, targets.indexOf(target)).map(({ key }) => key),
      };
    },
    start(target, others, caller) {
      const now = clock.now();
      const record = target.hasAlternatives ? memory.targets.get(target.key) : undefined;
      const isBusy = record?.probe !== undefined;
      if (isBusy && others.some((other) => isAvailable(other, now))) return { status: "elsewhere" };
      if (isBlocked(target, now)) {
        if (others.some((other) => !isBlocked(other, now))) return { status: "elsewhere" };
        const pauses = [target, ...others].flatMap((one) => cooldownOf(one) ?? []);
        const until = Math.min(...pauses.map(({ until }) => until));
        const limited = pauses.some(({ status }) => status === 429);
        return { status: "cooling", retryAfterS: Math.ceil((until - now) / 1000), limited };
      }
      const probe = Symbol();
      const probes = record !== undefined && !isBusy && stateAt(target, now) === "half_open";
      if (probes) record.probe = probe;
      return {
        status: "started",
        end(answered) {
          if (record?.probe === probe) record.probe = undefined;
          const session = toSessionKey(target, caller);
          if (answered && session !== undefined) memory.sessions.set(session, target.key);
        },
      };
    },
    fail(target, { error, startedAt }) {
      const { status, retryable } = error;
      if (!target.hasAlternatives || limits.firstMs === 0 || !isOutage(status, target)) return undefined;
      const at = clock.now();
      const record = memory.targets.get(target.key) ?? { key: target.key, cooldowns: 0 };
      const previous = record.cooldown;
      const retryAfterMs = toMilliseconds(error.retryAfter, at);
      const futile = status === 429 && !retryable && retryAfterMs === undefined;
      record.cooldown = afterFailure(previous, { status, startedAt, at, retryAfterMs, futile }, limits);
      const began = record.cooldown.since !== previous?.since;
      if (began) record.cooldowns++;
      memory.targets.set(target.key, record);
      return began ? record.cooldown : undefined;
    },
    succeed(target, startedAt) {
      const record = memory.targets.get(target.key);
      if (record !== undefined) record.cooldown = afterAnswer(record.cooldown, startedAt);
    },
    report(target) {
      const now = clock.now();
      const cooldown = cooldownOf(target);
      const state = stateOf(cooldown, now);
      return {
        target: target.key,
        state,
        ...(cooldown !== undefined && { failures: cooldown.failures, last_status: cooldown.status }),
        ...(cooldown !== undefined && state === "cooling" && {
          retry_in_s: Math.ceil((cooldown.until - now) / 1000),
        }),
      };
    },
  };
}

/** True for a limit or a failure of the upstream. A limit of a client's own key says nothing about others. */
function isOutage(status: number, { upstream: { key, acceptsClientKey = false } }: RouteTarget): boolean {
  return status >= 500 || status === 429 && (key !== undefined || !acceptsClientKey);
}

/** Returns the key of what is remembered for a session, or `undefined` without a session or alternatives. */
function toSessionKey(target: RouteTarget | undefined, { client, sessionId }: Caller): string | undefined {
  if (target === undefined || !target.hasAlternatives || sessionId === undefined) return undefined;
  return `${target.alias}\n${client}\n${sessionId}`;
}
