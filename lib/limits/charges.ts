import type { LimitName, Limits, LimitSet } from "../config/limits.ts";
import type { Charge, Quota, Subject } from "./quota.ts";
import { periodOf } from "./period.ts";

/** Who asks, as far as limits know them. */
export interface Requester {
  /** The name of the client's key. */
  client: string;
  sessionId?: string | undefined;
}

/** What a message is expected to use before it is asked for. */
export interface ExpectedUsage {
  inputTokens: number;
  now: number;
  /** Who holds the place of its answer. */
  holder: string;
}

/** What a turn of a message has used. */
export interface ActualUsage {
  /** Beyond what was expected, or less than that where it is negative. */
  inputTokens: number;
  outputTokens: number;
  usd: number;
}

/** What a message draws before anybody is asked. */
export function admissionCharges(
  limits: Limits,
  requester: Requester,
  { inputTokens, now, holder }: ExpectedUsage,
): Charge[] {
  return quotasOf(limits, requester, now).map((quota) => {
    switch (quota.metric) {
      case "requests":
        return { quota, amount: 1 };
      case "input_tokens":
        return { quota, amount: inputTokens };
      case "concurrent":
        return { quota, amount: 1, holder };
      // Of these nothing is known yet: whoever has any left may ask.
      case "metadata":
      case "output_tokens":
      case "usd_day":
      case "usd_month":
        return { quota, amount: 0 };
    }
  });
}

/** What a turn draws once it is over, whether it fits or not. */
export function usageCharges(
  limits: Limits,
  requester: Requester,
  used: ActualUsage & { now: number },
): Charge[] {
  const charges = quotasOf(limits, requester, used.now).map((quota): Charge => {
    switch (quota.metric) {
      case "input_tokens":
        return { quota, amount: used.inputTokens };
      case "output_tokens":
        return { quota, amount: used.outputTokens };
      case "usd_day":
      case "usd_month":
        return { quota, amount: used.usd };
      case "requests":
      case "metadata":
      case "concurrent":
        return { quota, amount: 0 };
    }
  });
  return charges.filter(({ amount }) => amount !== 0);
}

/**
 * What a question draws that no model answers: a count of tokens, a list of models. Clients ask for many of these at
 * once, so they have an allowance of their own: ten times the requests, and never fewer than a hundred a minute.
 */
export function metadataCharges(limits: Limits, requester: Requester): Charge[] {
  return scopesOf(limits, requester).flatMap(({ path, subject, set: { requests } }): Charge[] => {
    if (requests === undefined || requests === null) return [];
    const limit = Math.max(MIN_METADATA_PER_MINUTE, requests * METADATA_FACTOR);
    return [{
      quota: { name: `${path}/metadata`, subject, metric: "metadata", limit, kind: "rate" },
      amount: 1,
    }];
  });
}

const METADATA_FACTOR = 10;
const MIN_METADATA_PER_MINUTE = 100;

/** Somebody whom limits hold for: an asker belongs to several. */
interface LimitScope {
  path: string;
  subject: Subject;
  set: LimitSet;
}

function scopesOf({ each, keys, session, total }: Limits, { client, sessionId }: Requester): LimitScope[] {
  const key = encodeURIComponent(client.toWellFormed());
  const keyScope: LimitScope = {
    path: `key/${key}`,
    subject: { kind: "key", name: client },
    set: { ...each, ...keys.get(client) },
  };
  // A session belongs to its key: nobody draws from another's by its id.
  const sessionScopes: LimitScope[] = sessionId === undefined
    ? []
    : [{ path: `session/${key}/${sessionId}`, subject: { kind: "session" }, set: session }];
  return [keyScope, ...sessionScopes, { path: "total", subject: { kind: "gateway" }, set: total }];
}

function quotasOf(limits: Limits, requester: Requester, now: number): Quota[] {
  return scopesOf(limits, requester).flatMap(({ path, subject, set }) =>
    LIMIT_NAMES.flatMap((metric): Quota[] => {
      const limit = set[metric];
      return limit === undefined || limit === null
        ? []
        : [createQuota({ path, subject, metric, limit, now })];
    })
  );
}

const LIMIT_NAMES: readonly LimitName[] = [
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
