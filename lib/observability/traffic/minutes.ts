import { bucketOf, FIRST_EVENT_SECONDS } from "../metrics/histogram_counts.ts";
import type { SeenRequest } from "./seen_request.ts";

/** Messages that ended, or began, within one minute. */
export interface Minute {
  /** Number of the minute since 1970. */
  minute: number;
  /** Messages that ended. */
  requests: number;
  failed: number;
  /** Refused by limits, which is expected. */
  refused: number;
  cancelled: number;
  outputTokens: number;
  usd: number;
  /** Ended messages with usage whose cost is unknown. */
  unpriced: number;
  /** Most messages that ran at once. */
  running: number;
  /** Times to the first event, by {@linkcode FIRST_EVENT_SECONDS}. */
  firstEvents: number[];
  /** Messages that were still running at the last change of the minute. */
  left: number;
}

/** The last two hours by minute. */
export interface Minutes {
  /** Counts a message that begins or ends; `running` is the number of those that run then. */
  begin(now: number, running: number): void;
  end(seen: SeenRequest, now: number, running: number): void;
  /** Returns the minutes from `from` to `to` minutes ago, the oldest first, those without messages included. */
  list(now: number, from: number, to?: number): Minute[];
}

const MINUTE_MS = 60_000;
const KEPT = 120;

/** Creates the counts; all are 0. */
export function createMinutes(): Minutes {
  const kept: Minute[] = [];

  function at(now: number): Minute {
    const minute = Math.floor(now / MINUTE_MS);
    const last = kept.at(-1);
    // A clock that is set back counts into the newest minute.
    if (last !== undefined && last.minute >= minute) return last;
    const next = createMinute(minute, last?.left ?? 0);
    kept.push(next);
    if (kept.length > KEPT) kept.shift();
    return next;
  }

  return {
    begin(now, running) {
      const minute = at(now);
      minute.left = running;
      minute.running = Math.max(minute.running, running);
    },
    end({ state, firstEventAt, startedAt, outputTokens, usd }, now, running) {
      const minute = at(now);
      minute.left = running;
      minute.requests++;
      if (state === "failed") minute.failed++;
      if (state === "refused") minute.refused++;
      if (state === "cancelled") minute.cancelled++;
      minute.outputTokens += outputTokens ?? 0;
      minute.usd += usd ?? 0;
      if (usd === undefined && outputTokens !== undefined) minute.unpriced++;
      if (firstEventAt !== undefined) {
        const bucket = bucketOf(FIRST_EVENT_SECONDS, (firstEventAt - startedAt) / 1000);
        minute.firstEvents[bucket] = (minute.firstEvents[bucket] ?? 0) + 1;
      }
    },
    list(now, from, to = 0) {
      const newest = Math.floor(now / MINUTE_MS);
      let left = 0;
      const listed: Minute[] = [];
      let next = 0;
      for (let minute = newest - from + 1; minute <= newest - to; minute++) {
        while (next < kept.length && (kept[next]?.minute ?? 0) < minute) left = kept[next++]?.left ?? 0;
        const found = kept[next]?.minute === minute ? kept[next] : undefined;
        listed.push(found ?? createMinute(minute, left));
      }
      return listed;
    },
  };
}

function createMinute(minute: number, running: number): Minute {
  return {
    minute,
    requests: 0,
    failed: 0,
    refused: 0,
    cancelled: 0,
    outputTokens: 0,
    usd: 0,
    unpriced: 0,
    running,
    firstEvents: new Array<number>(FIRST_EVENT_SECONDS.length + 1).fill(0),
    left: running,
  };
}
