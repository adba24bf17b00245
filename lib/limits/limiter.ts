import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/settings.ts";
import { logWarning } from "../observability/log.ts";
import { type Asker, toClosingDraws, toLookupDraws, toOpeningDraws } from "./charges.ts";
import { createMemoryStore } from "./memory_store.ts";
import type { Draw, Judged } from "./quota.ts";
import { toRateHeaders } from "./rate_headers.ts";
import { createRedisStore } from "./redis_store.ts";
import { toRefusal } from "./limit_error.ts";
import { openSpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** Who may ask, how often, and for how much. */
export interface Limiter {
  /**
   * Admits a message, before anybody is asked for it.
   *
   * @throws {ApiError} `rate_limit_error`, `billing_error` or `overloaded_error` where a limit stands against it.
   */
  admit(asker: Asker, expected: { inputTokens: number }): Promise<Admission>;
  /**
   * Admits a question that no model answers.
   *
   * @throws {ApiError} `rate_limit_error` where there were too many.
   */
  admitLookup(asker: Asker): Promise<void>;
}

/** What a turn used; `usd` is undefined where its cost is not known. */
export interface Used {
  inputTokens: number;
  outputTokens: number;
  usd: number | undefined;
}

/** A message that was admitted, until it is released. */
export interface Admission {
  /** Anthropic's headers for the limits that hold. */
  headers: Readonly<Record<string, string>>;
  /**
   * Makes sure that more may be spent for the message, before anybody is asked again.
   *
   * @throws {ApiError} `billing_error` once a budget is spent.
   */
  permit(): Promise<void>;
  /** Takes note of what a turn used; also after the release, for what is broken off ends a little later. */
  charge(used: Used, model: string): void;
  /** Gives back the place, and the input that was expected where nobody was asked; only the first call counts. */
  release(): void;
}

/**
 * Creates the limits that the settings name.
 *
 * @throws {ConfigError} if spend cannot be kept where the settings want it.
 */
export function createLimiter(
  config: Pick<Config, "limits" | "rateLimitStore" | "stateDir">,
  { clock, newId, store = createStore(config, clock) }: {
    clock: Clock;
    newId(prefix: string): string;
    store?: LimitStore;
  },
): Limiter {
  const { limits } = config;
  const unpriced = new Set<string>();

  async function draw(draws: readonly Draw[]): Promise<Judged> {
    const now = clock.now();
    if (draws.length === 0) return { draws, used: [], now };
    const { fits, used } = await store.draw(draws, now);
    if (!fits) throw toRefusal({ draws, used, now });
    return { draws, used, now };
  }

  function record(draws: readonly Draw[]): void {
    if (draws.length > 0) store.record(draws, clock.now());
  }

  /** Says once of each model that what it costs is not known. */
  function missPrice(model: string): void {
    if (unpriced.has(model) || unpriced.size >= MOST_UNPRICED) return;
    unpriced.add(model);
    logWarning("What a model costs is not known, so that no budget counts it", { model });
  }

  return {
    async admit(asker, { inputTokens }) {
      const holder = newId("hold_");
      const opening = toOpeningDraws(limits, asker, { inputTokens, now: clock.now(), holder });
      const headers = toRateHeaders(await draw(opening));
      const places = opening.filter(({ meter }) => meter.kind === "places");
      const budgeted = opening.some(({ meter }) => meter.kind === "budget");
      let spent = false;
      let expected = inputTokens;
      let released = false;
      const charge = (used: { inputTokens: number; outputTokens: number; usd: number }) => {
        const beyond = used.inputTokens - expected;
        expected = 0;
        record(toClosingDraws(limits, asker, { ...used, inputTokens: beyond, now: clock.now() }));
      };
      return {
        headers,
        async permit() {
          if (!spent || !budgeted) return;
          const draws = toOpeningDraws(limits, asker, { inputTokens: 0, now: clock.now(), holder });
          await draw(draws.filter(({ meter }) => meter.kind === "budget"));
        },
        charge({ inputTokens, outputTokens, usd }, model) {
          spent = true;
          if (budgeted && usd === undefined) missPrice(model);
          charge({ inputTokens, outputTokens, usd: usd ?? 0 });
        },
        release() {
          if (released) return;
          released = true;
          charge({ inputTokens: 0, outputTokens: 0, usd: 0 });
          record(places.map((place) => ({ ...place, amount: -1 })));
        },
      };
    },
    async admitLookup(asker) {
      await draw(toLookupDraws(limits, asker));
    },
  };
}

const MOST_UNPRICED = 1000;

function createStore(
  { rateLimitStore, stateDir }: Pick<Config, "rateLimitStore" | "stateDir">,
  clock: Clock,
) {
  if (rateLimitStore !== "memory") return createRedisStore(rateLimitStore, { clock });
  const file = stateDir === undefined ? undefined : openSpendFile(stateDir, clock.now());
  return createMemoryStore({ file });
}
