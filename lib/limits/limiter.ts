import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/settings.ts";
import { NameCache } from "../base/name_cache.ts";
import { type Admission, AdmittedMessage } from "./admission.ts";
import { type BudgetUse, toBudgetUse } from "./budget_use.ts";
import {
  arrivalCharges,
  type LimitRules,
  metadataCharges,
  quotasOf,
  readingCharges,
  type Requester,
  RequesterQuotas,
  tokenCountSlots,
} from "./charges.ts";
import { Counters, whenKnown } from "./counters.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { type LimitLeft, toLimitsLeft } from "./limits_left.ts";
import { createMemoryStore } from "./memory_store.ts";
import type { QuotaCheck } from "./quota.ts";
import { createRedisStore } from "./redis_store.ts";
import { openSpendFile } from "./spend_file.ts";
import type { LimitStore } from "./store.ts";

/** Enforces the limits on requests, tokens, concurrency and cost. */
export interface Limiter {
  /**
   * Admits a message at its arrival, before its body is read.
   *
   * A promise only if the store is remote.
   *
   * @throws {ApiError} `rate_limit_error`, `billing_error` or `overloaded_error` if a limit is reached.
   */
  admit(requester: Requester): Admission | Promise<Admission>;
  /**
   * Admits a request without a body that no model answers, such as a model list.
   *
   * @throws {ApiError} `rate_limit_error` if its limit is reached.
   */
  admitMetadataRequest(requester: Requester): Promise<void>;
  /**
   * Admits a token count, or messages of an MCP client, at the arrival and before the body is read. The returned
   * function frees the concurrency slot.
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
   * Returns the use of the budgets of keys and sessions, and of all keys together: the sums that requests are admitted
   * by.
   *
   * @throws {ApiError} `overloaded_error` if the store cannot be reached.
   */
  budgets(requesters: readonly Requester[]): Promise<BudgetUse[]>;
  /** Settles when all recorded usage is stored, or cannot be stored now. */
  settle(): Promise<void>;
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
  const counters = new Counters({ clock, store, ledger });
  // An id for each holder would take longer than its charges.
  let holders: string | undefined;
  let admitted = 0;
  const newHolder = () => `${holders ??= newId("hold_")}.${admitted++}`;
  const quotas = new NameCache<RequesterQuotas>(MAX_REQUESTERS);

  /** Returns the quotas of a requester. A session's id has no line feed. */
  function findQuotas({ client, sessionId }: Requester): RequesterQuotas {
    return quotas.get(
      `${sessionId ?? ""}\n${client}`,
      () => new RequesterQuotas(limits, { client, sessionId }),
    );
  }

  return {
    admit(requester) {
      const quotas = findQuotas(requester);
      const holder = newHolder();
      const charges = arrivalCharges(quotas.at(clock.now()), holder);
      const admit = (arrival: QuotaCheck) =>
        new AdmittedMessage(counters, { requester, quotas, holder, arrival });
      return whenKnown(counters.charge(charges), admit);
    },
    async admitMetadataRequest(requester) {
      await counters.charge(metadataCharges(limits, requester));
    },
    async admitTokenCount(requester) {
      const slots = tokenCountSlots(limits, requester, newHolder());
      await counters.charge([...metadataCharges(limits, requester), ...slots]);
      return () => counters.release(slots);
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

/** Requesters whose quotas are kept. */
const MAX_REQUESTERS = 1000;

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
