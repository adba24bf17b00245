import type { LimitName, Limits, LimitSet } from "../config/limits.ts";
import type { Draw, Meter, Subject } from "./quota.ts";
import { periodOf } from "./period.ts";

/** Who asks, as far as limits know them. */
export interface Asker {
  /** The name of the client's key. */
  client: string;
  sessionId?: string | undefined;
}

/** What a message is expected to use before it is asked for. */
export interface Expected {
  inputTokens: number;
  now: number;
  /** Who holds the place of its answer. */
  holder: string;
}

/** What a turn of a message has used. */
export interface Used {
  /** Beyond what was expected, or less than that where it is negative. */
  inputTokens: number;
  outputTokens: number;
  usd: number;
}

/** What a message draws before anybody is asked. */
export function toOpeningDraws(
  limits: Limits,
  asker: Asker,
  { inputTokens, now, holder }: Expected,
): Draw[] {
  return metersOf(limits, asker, now).map((meter) => {
    switch (meter.what) {
      case "requests":
        return { meter, amount: 1 };
      case "input_tokens":
        return { meter, amount: inputTokens };
      case "concurrent":
        return { meter, amount: 1, holder };
      // Of these nothing is known yet: whoever has any left may ask.
      case "lookups":
      case "output_tokens":
      case "usd_day":
      case "usd_month":
        return { meter, amount: 0 };
    }
  });
}

/** What a turn draws once it is over, whether it fits or not. */
export function toClosingDraws(limits: Limits, asker: Asker, used: Used & { now: number }): Draw[] {
  const draws = metersOf(limits, asker, used.now).map((meter): Draw => {
    switch (meter.what) {
      case "input_tokens":
        return { meter, amount: used.inputTokens };
      case "output_tokens":
        return { meter, amount: used.outputTokens };
      case "usd_day":
      case "usd_month":
        return { meter, amount: used.usd };
      case "requests":
      case "lookups":
      case "concurrent":
        return { meter, amount: 0 };
    }
  });
  return draws.filter(({ amount }) => amount !== 0);
}

/**
 * What a question draws that no model answers: a count of tokens, a list of models. Clients ask for many of these at
 * once, so they have an allowance of their own: ten times the requests, and never fewer than a hundred a minute.
 */
export function toLookupDraws(limits: Limits, asker: Asker): Draw[] {
  return scopesOf(limits, asker).flatMap(({ path, of, set: { requests } }): Draw[] => {
    if (requests === undefined || requests === null) return [];
    const limit = Math.max(FEWEST_LOOKUPS, requests * LOOKUPS);
    return [{ meter: { name: `${path}/lookups`, of, what: "lookups", limit, kind: "flow" }, amount: 1 }];
  });
}

const LOOKUPS = 10;
const FEWEST_LOOKUPS = 100;

/** Somebody whom limits hold for: an asker belongs to several. */
interface Scope {
  path: string;
  of: Subject;
  set: LimitSet;
}

function scopesOf({ each, keys, session, total }: Limits, { client, sessionId }: Asker): Scope[] {
  const key = encodeURIComponent(client.toWellFormed());
  const own: Scope = {
    path: `key/${key}`,
    of: { kind: "key", name: client },
    set: { ...each, ...keys.get(client) },
  };
  // A session belongs to its key: nobody draws from another's by its id.
  const current: Scope[] = sessionId === undefined
    ? []
    : [{ path: `session/${key}/${sessionId}`, of: { kind: "session" }, set: session }];
  return [own, ...current, { path: "total", of: { kind: "gateway" }, set: total }];
}

function metersOf(limits: Limits, asker: Asker, now: number): Meter[] {
  return scopesOf(limits, asker).flatMap(({ path, of, set }) =>
    MEASURED.flatMap((what): Meter[] => {
      const limit = set[what];
      return limit === undefined || limit === null ? [] : [toMeter({ path, of, what, limit, now })];
    })
  );
}

const MEASURED: readonly LimitName[] = [
  "usd_day",
  "usd_month",
  "concurrent",
  "requests",
  "input_tokens",
  "output_tokens",
];

interface MeterOptions {
  path: string;
  of: Subject;
  what: LimitName;
  limit: number;
  now: number;
}

function toMeter({ path, of, what, limit, now }: MeterOptions): Meter {
  const name = `${path}/${what}`;
  switch (what) {
    case "requests":
    case "input_tokens":
    case "output_tokens":
      return { name, of, what, limit, kind: "flow" };
    case "concurrent":
      return { name, of, what, limit, kind: "places" };
    case "usd_day":
    case "usd_month": {
      const { name: period, until } = periodOf(what, now);
      return { name: `${name}/${period}`, of, what, limit, kind: "budget", until };
    }
  }
}
