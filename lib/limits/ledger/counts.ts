/** Token counts of turns, disjoint: `input` excludes what was read from or written to the upstream's prompt cache. */
export interface TokenKinds {
  input: number;
  cacheRead: number;
  cacheWrite: number;
  output: number;
}

/** Use of one row. All counts are integers, so that a sum does not depend on its order. */
export interface Counts extends TokenKinds {
  /** Requests of clients; one that several models answered counts for the first of them. */
  requests: number;
  /** Requests to upstreams that used tokens. */
  turns: number;
  /** Turns whose cost is unknown. They add nothing to the cost. */
  unpriced: number;
  /** Cost that upstreams reported, in billionths of a USD. */
  reported: number;
  /** Cost by list price, in billionths of a USD, of turns whose upstream reported none. */
  listed: number;
  /** Time of the last turn, in milliseconds since 1970. */
  last: number;
}

/** Names of the counts, in the order in which stores keep them. */
export const COUNT_NAMES = [
  "requests",
  "turns",
  "unpriced",
  "reported",
  "listed",
  "input",
  "cacheRead",
  "cacheWrite",
  "output",
  "last",
] as const satisfies readonly (keyof Counts)[];

/** Counts at zero. */
export const NO_COUNTS: Readonly<Counts> = {
  requests: 0,
  turns: 0,
  unpriced: 0,
  reported: 0,
  listed: 0,
  input: 0,
  cacheRead: 0,
  cacheWrite: 0,
  output: 0,
  last: 0,
};

/**
 * Returns the sum of counts. Exact while each is below 2 ** 53, which is 9 million USD.
 *
 * @example Usage
 * ```ts
 * import { addCounts, NO_COUNTS } from "./counts.ts";
 *
 * const { turns } = addCounts([{ ...NO_COUNTS, turns: 2 }, { ...NO_COUNTS, turns: 3 }]);
 * if (turns !== 5) throw new Error(String(turns));
 * ```
 */
export function addCounts(all: Iterable<Counts>): Counts {
  const sum: Counts = { ...NO_COUNTS };
  for (const counts of all) increase(sum, counts);
  return sum;
}

/** Adds counts to a sum. */
export function increase(sum: Counts, counts: Counts): void {
  sum.requests += counts.requests;
  sum.turns += counts.turns;
  sum.unpriced += counts.unpriced;
  // An upstream may report any cost. A sum stays an integer that stores can read.
  sum.reported = Math.min(sum.reported + counts.reported, Number.MAX_SAFE_INTEGER);
  sum.listed = Math.min(sum.listed + counts.listed, Number.MAX_SAFE_INTEGER);
  sum.input += counts.input;
  sum.cacheRead += counts.cacheRead;
  sum.cacheWrite += counts.cacheWrite;
  sum.output += counts.output;
  sum.last = Math.max(sum.last, counts.last);
}

/** Usage of a turn. */
export interface TurnUse {
  tokens: TokenKinds;
  /** Cost in USD as the upstream reported it, if it did. */
  cost: number | undefined;
  /** Cost in USD: reported, or else by list price; undefined if both are unknown. */
  usd: number | undefined;
}

/** Converts the usage of one turn. `isFirst` is true for the first turn of a client's request. */
export function toCounts(
  { tokens, cost, usd }: TurnUse,
  { isFirst, now }: { isFirst: boolean; now: number },
): Counts {
  return {
    requests: isFirst ? 1 : 0,
    turns: 1,
    unpriced: usd === undefined ? 1 : 0,
    reported: toBillionths(cost ?? 0),
    listed: cost === undefined ? toBillionths(usd ?? 0) : 0,
    // Upstreams may report fractions.
    input: Math.round(tokens.input),
    cacheRead: Math.round(tokens.cacheRead),
    cacheWrite: Math.round(tokens.cacheWrite),
    output: Math.round(tokens.output),
    last: now,
  };
}

/** Cost of counts in billionths of a USD: reported and by list price. */
export function costOf({ reported, listed }: Counts): number {
  return reported + listed;
}

/** Billionths in one USD. */
export const BILLION = 1e9;

/** Highest cost of one turn that is believed: 10,000 USD. */
const MAX_TURN_COST = 10_000 * BILLION;

function toBillionths(usd: number): number {
  return Math.min(Math.round(usd * BILLION), MAX_TURN_COST);
}
