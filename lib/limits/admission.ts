import {
  arrivalCharges,
  inputCharges,
  type Requester,
  type RequesterQuotas,
  usageCharges,
} from "./charges.ts";
import { type Counters, whenKnown } from "./counters.ts";
import type { TurnUse } from "./ledger/counts.ts";
import type { Charge, Quota, QuotaCheck } from "./quota.ts";
import { rateLimitHeaders } from "./rate_headers.ts";

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

/** A message that the store has admitted. */
export class AdmittedMessage implements Admission {
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

/** Metrics whose use is known after a turn. */
const METERED: ReadonlySet<Charge["quota"]["metric"]> = new Set([
  "input_tokens",
  "output_tokens",
  "usd_day",
  "usd_month",
]);
