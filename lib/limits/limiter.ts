import type { Clock } from "../runtime/clock.ts";
import type { Config } from "../config/settings.ts";
import { NameCache } from "../base/name_cache.ts";
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
import type { Charge, Quota, QuotaCheck } from "./quota.ts";
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

type RateHeaders = Readonly<Record<string, string>>;

/** An admitted message, until its release. */
export interface Admission {
  /**
   * Charges the expected input, before the message is sent to an upstream. Returns Anthropic's rate limit headers.
   *
   * @throws {ApiError} `rate_limit_error` if a limit is reached.
   */
  expect(expected: { inputTokens: number }): RateHeaders | Promise<RateHeaders>;
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

/** Applies charges, and records turns. */
class Counters {
  readonly clock: Clock;
  readonly ledger: Ledger;
  readonly #store: LimitStore;
  /** Models of unknown cost that were logged. */
  readonly #unpriced = new Set<string>();

  constructor({ clock, store, ledger }: { clock: Clock; store: LimitStore; ledger: Ledger }) {
    this.clock = clock;
    this.ledger = ledger;
    this.#store = store;
  }

  /** Charges, if all charges fit. @throws the error of the limit that is reached. */
  charge(charges: readonly Charge[]): QuotaCheck | Promise<QuotaCheck> {
    const now = this.clock.now();
    if (charges.length === 0) return { charges, used: [], now };
    return whenKnown(this.#store.charge(charges, now), ({ fits, used }) => {
      if (!fits) throw toLimitError({ charges, used, now });
      return { charges, used, now };
    });
  }

  /** Records charges, also those that do not fit. */
  record(charges: readonly Charge[]): void {
    if (charges.length > 0) this.#store.record(charges, this.clock.now());
  }

  release(slots: readonly Charge[]): void {
    this.record(slots.map(({ quota, holder }) => ({ quota, holder, amount: -1 })));
  }

  /** Logs once per model that its cost is unknown. */
  warnUnpriced(model: string): void {
    if (this.#unpriced.has(model) || this.#unpriced.size >= MAX_UNPRICED_MODELS) return;
    this.#unpriced.add(model);
    logWarning("cost of model unknown, not charged to any budget", { model }, "limits");
  }
}

const MAX_UNPRICED_MODELS = 1000;

class AdmittedMessage implements Admission {
  readonly metered: boolean;
  readonly #counters: Counters;
  readonly #requester: Requester;
  readonly #quotas: RequesterQuotas;
  readonly #holder: string;
  readonly #arrival: QuotaCheck;
  /** True once a turn was charged. */
  #spent = false;
  /** Input tokens that were charged and not yet used. */
  #expected = 0;
  /** Number of holds; the first is that of the admission itself. */
  #holds = 1;
  #released = false;
  #ended = false;
  readonly #atEnd: (() => void)[] = [];

  constructor(
    counters: Counters,
    { requester, quotas, holder, arrival }: {
      requester: Requester;
      quotas: RequesterQuotas;
      holder: string;
      arrival: QuotaCheck;
    },
  ) {
    this.#counters = counters;
    this.#requester = requester;
    this.#quotas = quotas;
    this.#holder = holder;
    this.#arrival = arrival;
    this.metered = this.#current.some(({ metric }) => METERED.has(metric));
  }

  get #current(): readonly Quota[] {
    return this.#quotas.at(this.#counters.clock.now());
  }

  get #hasBudget(): boolean {
    return this.#arrival.charges.some(isOfBudget);
  }

  expect({ inputTokens }: { inputTokens: number }): RateHeaders | Promise<RateHeaders> {
    return whenKnown(this.#counters.charge(inputCharges(this.#current, inputTokens)), (input) => {
      this.#expected = inputTokens;
      const { charges, used } = this.#arrival;
      return rateLimitHeaders({
        charges: [...charges, ...input.charges],
        used: [...used, ...input.used],
        now: input.now,
      });
    });
  }

  async assertBudget(): Promise<void> {
    if (!this.#spent || !this.#hasBudget) return;
    await this.#counters.charge(arrivalCharges(this.#current, this.#holder).filter(isOfBudget));
  }

  charge({ inputTokens, outputTokens, tokens, cost, usd }: Used, model: string): void {
    const { client, sessionId } = this.#requester;
    this.#counters.ledger.add({ client, sessionId, model, isFirst: !this.#spent, tokens, cost, usd });
    this.#spent = true;
    if (usd === undefined && this.#hasBudget) this.#counters.warnUnpriced(model);
    this.#use(inputTokens, outputTokens, usd ?? 0);
  }

  hold(): () => void {
    let held = true;
    this.#holds++;
    return () => {
      if (held) this.#unhold();
      held = false;
    };
  }

  onEnd(free: () => void): void {
    this.#atEnd.push(free);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    this.#unhold();
  }

  #use(inputTokens: number, outputTokens: number, usd: number): void {
    const extraInput = inputTokens - this.#expected;
    this.#expected = 0;
    if (extraInput === 0 && outputTokens === 0 && usd === 0) return;
    this.#counters.record(usageCharges(this.#current, { inputTokens: extraInput, outputTokens, usd }));
  }

  #unhold(): void {
    if (--this.#holds > 0 || this.#ended) return;
    this.#ended = true;
    this.#use(0, 0, 0);
    this.#counters.release(this.#arrival.charges.filter(({ quota }) => quota.kind === "concurrency"));
    for (const free of this.#atEnd) free();
  }
}

function isOfBudget({ quota }: Charge): boolean {
  return quota.kind === "budget";
}

/** Continues with a value at once, or with that of a promise. */
function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  use: (value: Value) => Result,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(use) : use(value);
}

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
