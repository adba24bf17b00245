import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/settings.ts";
import { logWarning } from "../observability/log.ts";
import { type BudgetUse, toBudgetUse } from "./budget_use.ts";
import {
  arrivalCharges,
  inputCharges,
  type LimitRules,
  metadataCharges,
  quotasOf,
  readingCharges,
  type Requester,
  RequesterQuotas,
  tokenCountSlots,
  usageCharges,
} from "./charges.ts";
import type { TurnUse } from "./ledger/counts.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { type LimitLeft, toLimitsLeft } from "./limits_left.ts";
import { createMemoryStore } from "./memory_store.ts";
import type { Charge, QuotaCheck } from "./quota.ts";
import { rateLimitHeaders } from "./rate_headers.ts";
import { createRedisStore } from "./redis_store.ts";
import { toLimitError } from "./limit_error.ts";
import { openSpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** Enforces the limits on requests, tokens, concurrency and cost. */
export interface Limiter {
  /**
   * Admits a message at its arrival, before its body is read.
   *
   * @throws {ApiError} `rate_limit_error`, `billing_error` or `overloaded_error` if a limit is reached.
   */
  admit(requester: Requester): Promise<Admission>;
  /**
   * Admits a request without a body that no model answers, such as a model list.
   *
   * @throws {ApiError} `rate_limit_error` if its limit is reached.
   */
  admitMetadataRequest(requester: Requester): Promise<void>;
  /**
   * Admits a token count, or messages of an MCP client, at the arrival and before the body is read. The returned function
   * frees the concurrency slot.
   *
   * @throws {ApiError} `rate_limit_error` or `overloaded_error` if a limit is reached.
   */
  admitTokenCount(requester: Requester): Promise<() => void>;
  /**
   * Returns what is left of the limits of a requester's key and session.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  left(requester: Requester): Promise<LimitLeft[]>;
  /**
   * Returns the use of the budgets of keys and sessions, and of all keys together: the sums that requests are admitted by.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  budgets(requesters: readonly Requester[]): Promise<BudgetUse[]>;
  /** Settles when all recorded usage is stored, or cannot be stored now. */
  settle(): Promise<void>;
}

/** Usage of one turn; `usd` is undefined if its cost is unknown. */
export interface Used extends TurnUse {
  inputTokens: number;
  outputTokens: number;
}

/** An admitted message, until its release. */
export interface Admission {
  /**
   * Charges the expected input, before the message is sent to an upstream. Returns Anthropic's rate limit headers.
   *
   * @throws {ApiError} `rate_limit_error` if a limit is reached.
   */
  expect(expected: { inputTokens: number }): Promise<Readonly<Record<string, string>>>;
  /**
   * Checks that budget is left, before a further upstream request for the message.
   *
   * @throws {ApiError} `billing_error` if a budget is spent.
   */
  assertBudget(): Promise<void>;
  /** Records the usage of a turn. May be called after the release: an aborted turn ends later. */
  charge(used: Used, model: string): void;
  /** True if a limit depends on the usage of turns: one in tokens or USD. */
  readonly metered: boolean;
  /** Keeps the message admitted until the returned function is called, also after the release. */
  hold(): () => void;
  /** Adds what ends with the admission: `free` is called when it has been released and nothing holds it. */
  onEnd(free: () => void): void;
  /**
   * Ends the admission once nothing holds it: frees the concurrency slot, and refunds the expected input if no turn was
   * charged. Further calls do nothing.
   */
  release(): void;
}

/** Creates the limiter of the settings. What a store has counted stays in force with other limits. */
export function createLimiter(
  { limits }: { limits: LimitRules },
  { clock, newId, store, ledger }: {
    clock: Clock;
    newId(prefix: string): string;
    store: LimitStore;
    ledger: Ledger;
  },
): Limiter {
  const unpriced = new Set<string>();

  function chargeQuotas(charges: readonly Charge[]): Promise<QuotaCheck> {
    const now = clock.now();
    if (charges.length === 0) return Promise.resolve({ charges, used: [], now });
    return store.charge(charges, now).then(({ fits, used }) => {
      if (!fits) throw toLimitError({ charges, used, now });
      return { charges, used, now };
    });
  }

  function record(charges: readonly Charge[]): void {
    if (charges.length > 0) store.record(charges, clock.now());
  }

  function releaseSlots(slots: readonly Charge[]): void {
    record(slots.map((slot) => ({ ...slot, amount: -1 })));
  }

  /** Logs once per model that its cost is unknown. */
  function warnUnpriced(model: string): void {
    if (unpriced.has(model) || unpriced.size >= MAX_UNPRICED_MODELS) return;
    unpriced.add(model);
    logWarning("cost of model unknown, not charged to any budget", { model }, "limits");
  }

  return {
    async admit(requester) {
      const holder = newId("hold_");
      const quotas = new RequesterQuotas(limits, requester);
      const initialQuotas = quotas.at(clock.now());
      const initialCharges = arrivalCharges(initialQuotas, holder);
      const arrival = await chargeQuotas(initialCharges);
      const slots = initialCharges.filter(({ quota }) => quota.kind === "concurrency");
      const hasBudget = initialCharges.some(({ quota }) => quota.kind === "budget");
      let spent = false;
      let expected = 0;
      const charge = (used: { inputTokens: number; outputTokens: number; usd: number }) => {
        const extraInput = used.inputTokens - expected;
        expected = 0;
        record(usageCharges(quotas.at(clock.now()), { ...used, inputTokens: extraInput }));
      };
      let holds = 0;
      let ended = false;
      const atEnd: (() => void)[] = [() => releaseSlots(slots)];
      const hold = () => {
        let held = true;
        holds++;
        return () => {
          if (!held) return;
          held = false;
          if (--holds > 0 || ended) return;
          ended = true;
          charge({ inputTokens: 0, outputTokens: 0, usd: 0 });
          for (const free of atEnd) free();
        };
      };
      return {
        expect: ({ inputTokens }) =>
          chargeQuotas(inputCharges(quotas.at(clock.now()), inputTokens)).then((input) => {
            expected = inputTokens;
            return rateLimitHeaders({
              charges: [...arrival.charges, ...input.charges],
              used: [...arrival.used, ...input.used],
              now: input.now,
            });
          }),
        metered: initialQuotas.some(({ metric }) => METERED.has(metric)),
        hold,
        onEnd: (free) => void atEnd.push(free),
        async assertBudget() {
          if (!spent || !hasBudget) return;
          const charges = arrivalCharges(quotas.at(clock.now()), holder);
          await chargeQuotas(charges.filter(({ quota }) => quota.kind === "budget"));
        },
        charge({ inputTokens, outputTokens, tokens, cost, usd }, model) {
          const { client, sessionId } = requester;
          ledger.add({ client, sessionId, model, isFirst: !spent, tokens, cost, usd });
          spent = true;
          if (hasBudget && usd === undefined) warnUnpriced(model);
          charge({ inputTokens, outputTokens, usd: usd ?? 0 });
        },
        release: hold(),
      };
    },
    async admitMetadataRequest(requester) {
      await chargeQuotas(metadataCharges(limits, requester));
    },
    async admitTokenCount(requester) {
      const slots = tokenCountSlots(limits, requester, newId("hold_"));
      await chargeQuotas([...metadataCharges(limits, requester), ...slots]);
      return () => releaseSlots(slots);
    },
    async left(requester) {
      const now = clock.now();
      const charges = readingCharges(quotasOf(limits, requester, now));
      if (charges.length === 0) return [];
      const { used } = await store.charge(charges, now);
      return toLimitsLeft(charges, used, now);
    },
    async budgets(requesters) {
      const now = clock.now();
      const charges = new Map(
        requesters.flatMap((requester) =>
          readingCharges(quotasOf(limits, requester, now)).filter(({ quota }) => quota.kind === "budget")
            .map((charge) => [charge.quota.name, { charge, client: requester.client }])
        ),
      );
      if (charges.size === 0) return [];
      const all = [...charges.values()];
      const read = all.map(({ charge }) => charge);
      const { used } = await store.charge(read, now);
      return toBudgetUse(read, used, all.map(({ client }) => client));
    },
    async settle() {
      await Promise.all([store.settle(), ledger.settle()]);
    },
  };
}

const MAX_UNPRICED_MODELS = 1000;

/** Metrics whose use is known after a turn. */
const METERED: ReadonlySet<Charge["quota"]["metric"]> = new Set([
  "input_tokens",
  "output_tokens",
  "usd_day",
  "usd_month",
]);

/**
 * Creates the store of the settings.
 *
 * @throws {ConfigError} if the cost file in `STATE_DIR` cannot be used.
 */
export function createLimitStore(
  { rateLimitStore, stateDir }: Pick<Config, "rateLimitStore" | "stateDir">,
  clock: Clock,
): LimitStore {
  if (rateLimitStore !== "memory") return createRedisStore(rateLimitStore, { clock });
  const file = stateDir === undefined ? undefined : openSpendFile(stateDir, clock.now());
  return createMemoryStore({ file });
}
