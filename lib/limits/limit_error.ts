import { ApiError } from "../base/errors.ts";
import { type Charge, fits, msUntilFits, type QuotaCheck, type Subject } from "./quota.ts";
import { toRfc3339 } from "./period.ts";
import { rateLimitHeaders } from "./rate_headers.ts";

/** A request that the gateway's own limits reject. It was not sent to any upstream. */
export class LimitError extends ApiError {}

/**
 * Returns the error for charges that do not fit, in the format of Anthropic's API.
 *
 * A spent budget is a `billing_error`, which clients do not retry. If the gateway as a whole has no free concurrency
 * slot, the error is an `overloaded_error`. Any other limit is a `rate_limit_error` with `retry-after`. This is also
 * the order of precedence; among equals, the limit with the longest wait is reported.
 */
export function toLimitError(check: QuotaCheck): LimitError {
  const { now } = check;
  const rejected = check.charges.flatMap((charge, at) => {
    const used = check.used[at] ?? 0;
    if (fits(charge.quota, used, charge.amount)) return [];
    return [{
      charge,
      waitMs: msUntilFits(charge.quota, used, { amount: charge.amount, now }) ?? SLOT_RETRY_MS,
    }];
  });
  const budget = longestWait(rejected.filter(({ charge }) => charge.quota.kind === "budget"));
  if (budget !== undefined) return toBillingError(budget.charge, now + budget.waitMs);
  const gatewayFull = rejected.find(({ charge: { quota } }) =>
    quota.kind === "concurrency" && quota.subject.kind === "gateway"
  );
  const worst = gatewayFull ?? longestWait(rejected);
  if (worst === undefined) throw new TypeError("Cannot create a limit error: all charges fit");
  const { charge: { quota }, waitMs } = worst;
  const retryAfter = String(Math.ceil(waitMs / 1000));
  if (worst === gatewayFull) {
    return new LimitError(
      "overloaded_error",
      "Cannot accept the request: the gateway has too many concurrent requests",
      {
        retryAfter,
      },
    );
  }
  const reason = quota.kind === "concurrency"
    ? `has reached its limit of ${quota.limit} ${METRIC_LABELS[quota.metric]}`
    : `has reached its limit of ${quota.limit} ${METRIC_LABELS[quota.metric]} per minute`;
  return new LimitError(
    "rate_limit_error",
    `Cannot accept the request: ${describeSubject(quota.subject)} ${reason}`,
    {
      retryAfter,
      headers: rateLimitHeaders(check),
    },
  );
}

/** `retry-after` in milliseconds if all concurrency slots are taken; when one becomes free is not known. */
const SLOT_RETRY_MS = 5000;

const METRIC_LABELS: Record<Charge["quota"]["metric"], string> = {
  requests: "requests",
  metadata: "token counts and model lists",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  concurrent: "concurrent requests",
  metadata_concurrent: "concurrent token counts",
  usd_day: "USD",
  usd_month: "USD",
};

interface RejectedCharge {
  charge: Charge;
  waitMs: number;
}

function longestWait(rejected: readonly RejectedCharge[]): RejectedCharge | undefined {
  return rejected.reduce<RejectedCharge | undefined>(
    (worst, next) => worst === undefined || next.waitMs > worst.waitMs ? next : worst,
    undefined,
  );
}

function toBillingError({ quota }: Charge, renewsAt: number): LimitError {
  const period = quota.metric === "usd_month" ? "month" : "day";
  const message = `Cannot accept the request: the budget of ${
    describeSubject(quota.subject)
  } for this ${period} is spent`;
  return new LimitError("billing_error", `${message}; it renews at ${toRfc3339(renewsAt)}`);
}

function describeSubject(subject: Subject): string {
  switch (subject.kind) {
    case "key":
      return `key "${subject.name}"`;
    case "session":
      return "this session";
    case "gateway":
      return "the gateway";
  }
}
