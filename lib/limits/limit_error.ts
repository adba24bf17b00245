import { ApiError } from "../base/errors.ts";
import { type Draw, fits, type Judged, type Subject, waitFor } from "./quota.ts";
import { toTime } from "./period.ts";
import { toRateHeaders } from "./rate_headers.ts";

/**
 * The error for draws that do not fit, as Anthropic's API would say it: of several the one that lasts longest.
 *
 * A spent budget is a `billing_error`, which no client repeats; a gateway without a free place is overloaded; anything
 * else is a `rate_limit_error` that says when to come back.
 */
export function toRefusal(judged: Judged): ApiError {
  const { now } = judged;
  const refused = judged.draws.flatMap((draw, at) => {
    const used = judged.used[at] ?? 0;
    if (fits(draw.meter, used, draw.amount)) return [];
    return [{ draw, wait: waitFor(draw.meter, used, { amount: draw.amount, now }) ?? PLACE_WAIT }];
  });
  const budget = longest(refused.filter(({ draw }) => draw.meter.kind === "budget"));
  if (budget !== undefined) return toBillingError(budget.draw, now + budget.wait);
  const full = refused.find(({ draw: { meter } }) => meter.kind === "places" && meter.of.kind === "gateway");
  const worst = full ?? longest(refused);
  if (worst === undefined) throw new TypeError("nothing is refused where everything fits");
  const { draw: { meter }, wait } = worst;
  const retryAfter = String(Math.ceil(wait / 1000));
  if (worst === full) {
    return new ApiError("overloaded_error", "Cannot take the request: the gateway has no place for it now", {
      retryAfter,
    });
  }
  const why = meter.kind === "places"
    ? `has ${meter.limit} answers under way, as many as it may at once`
    : `may not use more than ${meter.limit} ${WORDS[meter.what]} a minute`;
  return new ApiError("rate_limit_error", `Cannot take the request: ${toName(meter.of)} ${why}`, {
    retryAfter,
    headers: toRateHeaders(judged),
  });
}

/** Milliseconds after which a place may be free again; when one is, nobody knows. */
const PLACE_WAIT = 5000;

const WORDS: Record<Draw["meter"]["what"], string> = {
  requests: "requests",
  lookups: "counts of tokens and lists of models",
  input_tokens: "input tokens",
  output_tokens: "output tokens",
  concurrent: "answers",
  usd_day: "USD",
  usd_month: "USD",
};

interface Refused {
  draw: Draw;
  wait: number;
}

function longest(refused: readonly Refused[]): Refused | undefined {
  return refused.reduce<Refused | undefined>(
    (worst, next) => worst === undefined || next.wait > worst.wait ? next : worst,
    undefined,
  );
}

function toBillingError({ meter }: Draw, renewed: number): ApiError {
  const period = meter.what === "usd_month" ? "month" : "day";
  const what = `Cannot take the request: the budget of ${toName(meter.of)} for this ${period} is spent`;
  return new ApiError("billing_error", `${what}; the next begins at ${toTime(renewed)}`);
}

function toName(subject: Subject): string {
  switch (subject.kind) {
    case "key":
      return `key "${subject.name}"`;
    case "session":
      return "this session";
    case "gateway":
      return "the gateway";
  }
}
