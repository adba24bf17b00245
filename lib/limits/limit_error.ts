import { ApiError } from "../base/errors.ts";
import { type Charge, fits, msUntilFits, type QuotaCheck, type Subject } from "./quota.ts";
import { toRfc3339 } from "./period.ts";
import { rateLimitHeaders } from "./rate_headers.ts";

/**
 * The error for draws that do not fit, as Anthropic's API would say it: of several the one that lasts longest.
 *
 * A spent budget is a `billing_error`, which no client repeats; a gateway without a free place is overloaded; anything
 * else is a `rate_limit_error` that says when to come back.
 */
export function toLimitError(check: QuotaCheck): ApiError {
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
  if (worst === undefined) throw new TypeError("nothing is refused where everything fits");
  const { charge: { quota }, waitMs } = worst;
  const retryAfter = String(Math.ceil(waitMs / 1000));
  if (worst === gatewayFull) {
    return new ApiError("overloaded_error", "Cannot take the request: the gateway has no place for it now", {
      retryAfter,
    });
  }
  const reason = quota.kind === "concurrency"
    ? `has ${quota.limit} answers under way, as many as it may at once`
    : `may not use more than ${quota.limit} ${METRIC_LABELS[quota.metric]} a minute`;
  return new ApiError(
    "rate_limit_error",
    `Cannot take the request: ${describeSubject(quota.subject)} ${reason}`,
    {
      retryAfter,
      headers: rateLimitHeaders(check),
    },
  );
}

/** Milliseconds after which a place may be free again; when one is, nobody knows. */
const SLOT_RETRY_MS = 5000;

const METRIC_LABELS: Record<Charge["quota"]["metric"], string> = {
  requests: "requests",
  metadata: "counts of tokens and lists of models",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  concurrent: "answers",
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

function toBillingError({ quota }: Charge, renewsAt: number): ApiError {
  const period = quota.metric === "usd_month" ? "month" : "day";
  const message = `Cannot take the request: the budget of ${
    describeSubject(quota.subject)
  } for this ${period} is spent`;
  return new ApiError("billing_error", `${message}; the next begins at ${toRfc3339(renewsAt)}`);
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
