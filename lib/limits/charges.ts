import type { LimitName, Limits, LimitSet } from "../config/limits.ts";
import type { Charge, Quota, Subject } from "./quota.ts";
import { periodOf } from "./period.ts";

/** Origin of a request, as limits distinguish it. */
export interface Requester {
  /** Name of the client's key. */
  client: string;
  sessionId?: string | undefined;
}

/** Limits by scope; those of a key are looked up by its name. */
export type LimitRules = Omit<Limits, "keys"> & { keys: { get(name: string): LimitSet | undefined } };

/** Actual usage of one turn. */
export interface ActualUsage {
  /** Difference from the expected input tokens; negative if fewer were used. */
  inputTokens: number;
  outputTokens: number;
  usd: number;
}

/** The quotas of one requester. */
export class RequesterQuotas {
  readonly #limits: LimitRules;
  readonly #requester: Requester;
  #quotas: readonly Quota[] = [];
  #ofKey: LimitSet | undefined;
  /** Time from which, and until which, the quotas apply. */
  #from = Infinity;
  #until = -Infinity;

  constructor(limits: LimitRules, requester: Requester) {
    this.#limits = limits;
    this.#requester = requester;
  }

  /** Returns the quotas at a time. They change with the limits of the key, and with the day and month of budgets. */
  at(now: number): readonly Quota[] {
    const ofKey = this.#limits.keys.get(this.#requester.client);
    if (now < this.#from || now >= this.#until || ofKey !== this.#ofKey) {
      this.#quotas = quotasOf(this.#limits, this.#requester, now);
      this.#ofKey = ofKey;
      this.#from = now;
      this.#until = Infinity;
      for (const quota of this.#quotas) {
        if (quota.kind === "budget") this.#until = Math.min(this.#until, quota.until);
      }
    }
    return this.#quotas;
  }
}

/** Returns the charges of a message at its arrival, before its body is read. `holder` has its concurrency slot. */
export function arrivalCharges(quotas: readonly Quota[], holder: string): Charge[] {
  const charges: Charge[] = [];
  for (const quota of quotas) {
    switch (quota.metric) {
      case "requests":
        charges.push({ quota, amount: 1 });
        break;
      case "concurrent":
        charges.push({ quota, amount: 1, holder });
        break;
      // Their usage is not known yet: a charge of 0 fits if any of the limit is left.
      case "output_tokens":
      case "usd_day":
      case "usd_month":
        charges.push({ quota, amount: 0 });
        break;
      case "input_tokens":
      case "metadata":
      case "metadata_concurrent":
    }
  }
  return charges;
}

/** Returns the charges of the expected input of a message, before it is sent to an upstream. */
export function inputCharges(quotas: readonly Quota[], inputTokens: number): Charge[] {
  const charges: Charge[] = [];
  for (const quota of quotas) {
    if (quota.metric === "input_tokens") charges.push({ quota, amount: inputTokens });
  }
  return charges;
}

/** Returns the charges of a finished turn. They are recorded even if they exceed a limit. */
export function usageCharges(quotas: readonly Quota[], used: ActualUsage): Charge[] {
  const charges: Charge[] = [];
  for (const quota of quotas) {
    const amount = usedOf(quota, used);
    if (amount !== 0) charges.push({ quota, amount });
  }
  return charges;
}

function usedOf({ metric }: Quota, { inputTokens, outputTokens, usd }: ActualUsage): number {
  switch (metric) {
    case "input_tokens":
      return inputTokens;
    case "output_tokens":
      return outputTokens;
    case "usd_day":
    case "usd_month":
      return usd;
    case "requests":
    case "metadata":
    case "concurrent":
    case "metadata_concurrent":
      return 0;
  }
}

/**
 * Returns the charges of a request that no model answers: token counts and model lists.
 *
 * Clients send many of these at once. Their limit is therefore separate: ten times `requests`, at least 100 per minute.
 */
export function metadataCharges(limits: LimitRules, requester: Requester): Charge[] {
  return scopesOf(limits, requester).flatMap(({ path, subject, set: { requests } }): Charge[] => {
    if (requests === undefined || requests === null) return [];
    const limit = Math.max(MIN_METADATA_PER_MINUTE, requests * METADATA_FACTOR);
    return [{
      quota: { name: `${path}/metadata`, subject, metric: "metadata", limit, kind: "rate" },
      amount: 1,
    }];
  });
}

/**
 * Returns the concurrency slots of a token count, whose body is as large as a message. They are separate from those of
 * messages: as many as `concurrent`, at least 50.
 */
export function tokenCountSlots(limits: LimitRules, requester: Requester, holder: string): Charge[] {
  return scopesOf(limits, requester).flatMap(({ path, subject, set: { concurrent } }): Charge[] => {
    if (concurrent === undefined || concurrent === null) return [];
    const limit = Math.max(MIN_TOKEN_COUNT_SLOTS, concurrent);
    const name = `${path}/metadata_concurrent`;
    return [{
      quota: { name, subject, metric: "metadata_concurrent", limit, kind: "concurrency" },
      amount: 1,
      holder,
    }];
  });
}

/** Clients count tokens in parallel, also those that send one message after the other. */
const MIN_TOKEN_COUNT_SLOTS = 50;

/** Returns charges of 0 to all limits but those of concurrency: they only read what is used. */
export function readingCharges(quotas: readonly Quota[]): Charge[] {
  return quotas.filter(({ kind }) => kind !== "concurrency")
    .map((quota) => ({ quota, amount: 0 }));
}

const METADATA_FACTOR = 10;
const MIN_METADATA_PER_MINUTE = 100;

/** A set of limits and what it applies to. A request belongs to several scopes. */
interface LimitScope {
  path: string;
  subject: Subject;
  set: LimitSet;
}

function scopesOf(
  { each, keys, session, total }: LimitRules,
  { client, sessionId }: Requester,
): LimitScope[] {
  const key = encodeURIComponent(client.toWellFormed());
  const keyScope: LimitScope = {
    path: `key/${key}`,
    subject: { kind: "key", name: client },
    set: { ...each, ...keys.get(client) },
  };
  // The path includes the key, so that a client cannot charge another key's session by its id.
  const sessionScopes: LimitScope[] = sessionId === undefined
    ? []
    : [{ path: `session/${key}/${sessionId}`, subject: { kind: "session" }, set: session }];
  return [keyScope, ...sessionScopes, { path: "total", subject: { kind: "gateway" }, set: total }];
}

/** Returns the quotas of a requester at a time. */
export function quotasOf(limits: LimitRules, requester: Requester, now: number): Quota[] {
  const quotas: Quota[] = [];
  for (const { path, subject, set } of scopesOf(limits, requester)) {
    for (const metric of CHARGE_ORDER) {
      const limit = set[metric];
      if (limit === undefined || limit === null) continue;
      quotas.push(createQuota({ path, subject, metric, limit, now }));
    }
  }
  return quotas;
}

/** All limits, in the order of their quotas. */
const CHARGE_ORDER: readonly LimitName[] = [
  "usd_day",
  "usd_month",
  "concurrent",
  "requests",
  "input_tokens",
  "output_tokens",
];

interface QuotaOptions {
  path: string;
  subject: Subject;
  metric: LimitName;
  limit: number;
  now: number;
}

function createQuota({ path, subject, metric, limit, now }: QuotaOptions): Quota {
  const name = `${path}/${metric}`;
  switch (metric) {
    case "requests":
    case "input_tokens":
    case "output_tokens":
      return { name, subject, metric, limit, kind: "rate" };
    case "concurrent":
      return { name, subject, metric, limit, kind: "concurrency" };
    case "usd_day":
    case "usd_month": {
      const { name: period, until } = periodOf(metric, now);
      return { name: `${name}/${period}`, subject, metric, limit, kind: "budget", until };
    }
  }
}
