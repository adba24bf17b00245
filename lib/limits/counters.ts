import { logWarning } from "../observability/log.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Ledger } from "./ledger/ledger.ts";
import { toLimitError } from "./limit_error.ts";
import type { Charge, QuotaCheck } from "./quota.ts";
import type { LimitStore } from "./store.ts";

/** Applies charges, and records turns. */
export class Counters {
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

/** Continues with a value at once, or with that of a promise. */
export function whenKnown<Value, Result>(
  value: Value | Promise<Value>,
  use: (value: Value) => Result,
): Result | Promise<Result> {
  return value instanceof Promise ? value.then(use) : use(value);
}
