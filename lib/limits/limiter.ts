import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/settings.ts";
import { logWarning } from "../observability/log.ts";
import { admissionCharges, metadataCharges, type Requester, usageCharges } from "./charges.ts";
import { createMemoryStore } from "./memory_store.ts";
import type { Charge, QuotaCheck } from "./quota.ts";
import { rateLimitHeaders } from "./rate_headers.ts";
import { createRedisStore } from "./redis_store.ts";
import { toLimitError } from "./limit_error.ts";
import { openSpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** Who may ask, how often, and for how much. */
export interface Limiter {
  /**
   * Admits a message, before anybody is asked for it.
   *
   * @throws {ApiError} `rate_limit_error`, `billing_error` or `overloaded_error` where a limit stands against it.
   */
  admit(requester: Requester, expected: { inputTokens: number }): Promise<Admission>;
  /**
   * Admits a question that no model answers.
   *
   * @throws {ApiError} `rate_limit_error` where there were too many.
   */
  admitMetadataRequest(requester: Requester): Promise<void>;
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
  assertBudget(): Promise<void>;
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

  async function chargeQuotas(charges: readonly Charge[]): Promise<QuotaCheck> {
    const now = clock.now();
    if (charges.length === 0) return { charges, used: [], now };
    const { fits, used } = await store.charge(charges, now);
    if (!fits) throw toLimitError({ charges, used, now });
    return { charges, used, now };
  }

  function record(charges: readonly Charge[]): void {
    if (charges.length > 0) store.record(charges, clock.now());
  }

  /** Says once of each model that what it costs is not known. */
  function warnUnpriced(model: string): void {
    if (unpriced.has(model) || unpriced.size >= MAX_UNPRICED_MODELS) return;
    unpriced.add(model);
    logWarning("What a model costs is not known, so that no budget counts it", { model });
  }

  return {
    async admit(requester, { inputTokens }) {
      const holder = newId("hold_");
      const initialCharges = admissionCharges(limits, requester, { inputTokens, now: clock.now(), holder });
      const headers = rateLimitHeaders(await chargeQuotas(initialCharges));
      const slots = initialCharges.filter(({ quota }) => quota.kind === "concurrency");
      const hasBudget = initialCharges.some(({ quota }) => quota.kind === "budget");
      let spent = false;
      let expected = inputTokens;
      let released = false;
      const charge = (used: { inputTokens: number; outputTokens: number; usd: number }) => {
        const extraInput = used.inputTokens - expected;
        expected = 0;
        record(usageCharges(limits, requester, { ...used, inputTokens: extraInput, now: clock.now() }));
      };
      return {
        headers,
        async assertBudget() {
          if (!spent || !hasBudget) return;
          const charges = admissionCharges(limits, requester, { inputTokens: 0, now: clock.now(), holder });
          await chargeQuotas(charges.filter(({ quota }) => quota.kind === "budget"));
        },
        charge({ inputTokens, outputTokens, usd }, model) {
          spent = true;
          if (hasBudget && usd === undefined) warnUnpriced(model);
          charge({ inputTokens, outputTokens, usd: usd ?? 0 });
        },
        release() {
          if (released) return;
          released = true;
          charge({ inputTokens: 0, outputTokens: 0, usd: 0 });
          record(slots.map((slot) => ({ ...slot, amount: -1 })));
        },
      };
    },
    async admitMetadataRequest(requester) {
      await chargeQuotas(metadataCharges(limits, requester));
    },
  };
}

const MAX_UNPRICED_MODELS = 1000;

function createStore(
  { rateLimitStore, stateDir }: Pick<Config, "rateLimitStore" | "stateDir">,
  clock: Clock,
) {
  if (rateLimitStore !== "memory") return createRedisStore(rateLimitStore, { clock });
  const file = stateDir === undefined ? undefined : openSpendFile(stateDir, clock.now());
  return createMemoryStore({ file });
}
